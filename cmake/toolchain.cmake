# Compiler, linker, caches and the packages of the system.

find_program(ccache_path ccache)
if(ccache_path)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ccache_path})
endif()

# LTO objects of GCC need GCC's own plugin, which mold 1.10 and lld do not load: they link the rest.
if(NOT CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  find_program(mold_path mold)
  if(mold_path)
    add_link_options(-fuse-ld=mold)
  endif()
endif()

# Eight files to a compiler run: most of a run's time goes to the headers that they share. So no two files of a folder
# give a name to different things, and tools/lint, which takes each file alone, finds an #include that is missing.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Werror
                    -fno-omit-frame-pointer)
# A designated initialiser leaves the rest as the struct declares it: that is what they are for here.
add_compile_options(-Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Coroutine frames and std::variant inside Result trip this one at -O3, without a fault behind it.
  # -Wrestrict sees overlaps in std::string's operator+ at -O3 that cannot be (GCC bug 105651).
  # -Wsubobject-linkage takes a file's own types for a header's, since the batches below include the file.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict -Wno-subobject-linkage)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  # SSE4.2 (CRC32C) and PCLMUL are everywhere that runs Debian 12 servers; wider kernels are chosen at run time.
  add_compile_options(-march=x86-64-v2 -mpclmul)
endif()
# A server on a network: what the compiler and the loader can do against a fault that we missed.
add_compile_options(-fstack-protector-strong "$<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>"
                    "$<$<NOT:$<CONFIG:Release>>:-D_GLIBCXX_ASSERTIONS>")
add_link_options(-Wl,-z,relro,-z,now)
if(MILLRACE_SANITIZE)
  # Not "vptr": its look at memory needs a descriptor, and some tests use all of them up.
  add_compile_options(-fsanitize=${MILLRACE_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MILLRACE_SANITIZE})
endif()

if(MILLRACE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

set(CMAKE_THREAD_PREFER_PTHREAD ON)
find_package(Threads REQUIRED)
link_libraries(Threads::Threads)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL 7.86 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(simdjson REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(libcbor REQUIRED IMPORTED_TARGET libcbor)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
