"""Bad usage: exit code 2 and one line on stderr that names the field and its limit."""
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from process import Server, run

KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDEXAMPLE", "MILLRACE_ROOT_SECRET_KEY": "a-secret-of-the-tests"}


class BadUsage(unittest.TestCase):
    def refused(self, *arguments: str, says: str, env: dict[str, str] | None = None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = run(*arguments, env=env, cwd=folder)
            self.assertEqual(os.listdir(folder), [], "nothing is made")
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("millrace: "), done.stderr)
        self.assertIn(says, done.stderr)

    def test_no_command(self):
        self.refused(says="admin, log or version")

    def test_an_unknown_command_is_named_with_the_nearest_and_all_there_are(self):
        self.refused("sevre", says="there is no command sevre; did you mean serve? The commands are serve, ")
        self.refused("log", "verfy", "x", says="did you mean verify? The commands are verify, dump, skip.")

    def test_an_unknown_flag_is_named_with_the_nearest(self):
        self.refused("serve", "--lisen", "127.0.0.1:1", says="there is no flag --lisen; did you mean --listen?")
        self.refused("backup", "--kep=3", "x", says="there is no flag --kep; did you mean --keep?")
        self.refused("serve", "--nothing-like-it", says="there is no flag --nothing-like-it. `millrace serve --help`")

    def test_an_argument_too_many(self):
        self.refused("verify", "a", "b", says='"b" is one argument too many')

    def test_a_flag_without_its_value(self):
        self.refused("serve", "--loops", says="--loops")

    def test_an_empty_value(self):
        self.refused("serve", "--data", "", says="--data")

    def test_numbers_out_of_range_name_the_field_and_the_limit(self):
        for value in ("0", "257", "-1", "1.5", "two", "99999999999999999999999"):
            with self.subTest(value):
                self.refused("serve", "--loops", value, says=f"--loops is {value}: must be 1 to 256")

    def test_sizes_out_of_range_name_the_field_and_the_limit(self):
        for value in ("1KiB", "2TiB", "64MB", "MiB", "18446744073709551616", "17179869184TiB"):
            with self.subTest(value):
                self.refused("serve", "--tail-cache-bytes", value,
                             says=f"--tail-cache-bytes is {value}: must be 1MiB to 1TiB")

    def test_texts_of_the_wrong_form(self):
        for flag, value in (("--listen", "4566"), ("--listen", ":4566"), ("--listen", "127.0.0.1:65536"),
                            ("--listen", "::1:4566"), ("--account-id", "12345"), ("--limits", "some"),
                            ("--region", "us east 1"), ("--log-level", "loud")):
            with self.subTest(f"{flag} {value}"):
                self.refused("serve", flag, value, says=f'{flag} is "{value}": must be ')

    def test_a_bad_value_in_the_environment_names_the_variable(self):
        self.refused("serve", env={"MILLRACE_LOOPS": "many"}, says="MILLRACE_LOOPS is many: must be 1 to 256")

    def test_flags_of_the_clustered_release_say_so(self):
        for flag in ("--bucket", "--s3-endpoint", "--prefix"):
            with self.subTest(flag):
                self.refused("serve", flag, "x", says=f"{flag} comes with the clustered release")

    def test_root_keys_go_together(self):
        for name, value in KEYS.items():
            with self.subTest(name):
                self.refused("serve", env={name: value}, says="set both or neither")

    def test_a_secret_is_never_shown(self):
        done = run("serve", env={"MILLRACE_ROOT_SECRET_KEY": "short"})
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("short", done.stderr)

    def test_a_secret_from_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("root-access-key", "AKIDEXAMPLE\n"), ("millrace_root-secret-key", "a-secret-of-the-tests\n"),
                               ("short", "short\n")):
                pathlib.Path(folder, name).write_text(text)
            for env in ({"CREDENTIALS_DIRECTORY": folder},
                        {"MILLRACE_ROOT_ACCESS_KEY_FILE": f"{folder}/root-access-key",
                         "MILLRACE_ROOT_SECRET_KEY_FILE": f"{folder}/millrace_root-secret-key"}):
                with Server(env=env) as server:
                    self.assertEqual(server.wait_for_line("serving")["signatures"], "checked")
            done = run("serve", env={"MILLRACE_ROOT_SECRET_KEY_FILE": f"{folder}/short"})
            self.assertEqual((done.returncode, done.stderr),
                             (2, f"millrace: {folder}/short: does not fit: must be 8 to 256 characters\n"))
        self.refused("serve", env={"MILLRACE_ROOT_SECRET_KEY_FILE": "/nowhere/x"}, says="/nowhere/x cannot be opened")

    def test_tls_files_go_together(self):
        self.refused("serve", "--tls-cert", "cert.pem", says="--tls-cert and --tls-key go together")

    def test_without_keys_it_refuses_to_be_reached_by_others(self):
        for listen in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0", "127.example.com:0", "127.0.0.1.example.com:0"):
            with self.subTest(listen):
                self.refused("serve", "--listen", listen, says="MILLRACE_ROOT_ACCESS_KEY")

    def test_a_flag_is_no_value_of_another(self):
        self.refused("serve", "--data", "--loops", says="--data: has no value: --loops is a flag")
        self.refused("serve", "--config", "--data", "z", says="--config: has no value: --data is a flag")

    def test_an_address_that_is_none(self):
        for address in ("127.0.0.256:1", "nosuch.invalid:1"):
            with self.subTest(address):
                self.refused("serve", "--listen", address, env=KEYS, says=f'--listen: "{address}" is not an address')

    def test_a_config_file_that_is_a_folder_or_nothing(self):
        self.refused("serve", "--config", "/tmp", says="--config is /tmp: it is a folder")
        self.refused("serve", "--config", "", says='--config is "": must be a file')
        self.refused("serve", env={"MILLRACE_CONFIG": "/tmp"}, says="it is a folder")

    def test_log_dump_filters_records_only(self):
        self.refused("log", "dump", "--stream", "s", "x", says="--stream and --shard go with --data")

    def test_a_server_that_keeps_nothing_has_no_folder(self):
        self.refused("serve", "--ephemeral", "--data", "x", says="--ephemeral keeps nothing: leave out --data")

    def test_any_credentials_need_a_second_word(self):
        self.refused("serve", "--allow-any-credentials", says="give --ephemeral too")
        self.refused("serve", "--ephemeral", "--allow-any-credentials", env=KEYS, says="contradicts")

    def test_a_self_signed_certificate_is_made_or_given(self):
        self.refused("serve", "--tls-self-signed", "--tls-cert", "c", "--tls-key", "k", says="leave out --tls-cert")

    def test_a_flag_that_is_yes_or_no(self):
        self.refused("serve", "--ephemeral=perhaps", says='--ephemeral is "perhaps": must be yes or no')

    def test_first_streams(self):
        for value in ("a:0", "a:x", "a,a", ":4", "a:4,", "a b", "a:1000001", "n" * 129):
            with self.subTest(value):
                self.refused("serve", "--streams", value, says=f'--streams has "')

    def test_log_needs_to_know_what_and_where(self):
        self.refused("log", says="verify, dump or skip")
        self.refused("log", "verify", says="DIR")


class BadCertificates(unittest.TestCase):
    """Found before anything is made, in words: OpenSSL's own say nothing to most people."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)

        def openssl(*arguments: str) -> None:
            subprocess.run(["openssl", *arguments], cwd=cls.path, check=True, capture_output=True)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "5",
                "-keyout", "key", "-out", "certificate", "-subj", "/CN=localhost")
        openssl("pkey", "-in", "key", "-aes256", "-passout", "pass:secret", "-out", "encrypted")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "other")
        (cls.path / "empty").touch()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_each_is_named_with_what_is_wrong(self):
        for certificate, key, says in (
                ("nothing", "key", "--tls-cert {}/nothing: No such file or directory"),
                ("certificate", "nothing", "--tls-key {}/nothing: No such file or directory"),
                ("empty", "key", "--tls-cert {}/empty: it is no certificate in PEM"),
                ("key", "key", "--tls-cert {}/key: it is no certificate in PEM"),
                ("certificate", "empty", "--tls-key {}/empty: it is no private key in PEM"),
                ("certificate", "encrypted", "--tls-key {}/encrypted: the key is encrypted"),
                ("certificate", "other", "--tls-key {}/other does not belong to the first certificate")):
            with self.subTest(f"{certificate} {key}"), tempfile.TemporaryDirectory() as empty:
                done = run("serve", "--tls-cert", str(self.path / certificate), "--tls-key", str(self.path / key), cwd=empty)
                self.assertEqual((done.returncode, done.stderr.count("\n"), os.listdir(empty)), (2, 1, []), done)
                self.assertIn(says.format(self.path), done.stderr)

    def test_one_that_expires_soon_is_told(self):
        with Server("--tls-cert", str(self.path / "certificate"), "--tls-key", str(self.path / "key")) as server:
            self.assertTrue(any("the certificate expires in" in line for line in server.stderr_lines),
                            server.stderr_lines)

    def test_an_encrypted_key_is_refused_by_a_running_server_too(self):
        key = self.path / "changing"
        key.write_bytes((self.path / "key").read_bytes())
        key.chmod(0o600)
        with Server("--tls-cert", str(self.path / "certificate"), "--tls-key", str(key)) as server:
            key.write_bytes((self.path / "encrypted").read_bytes())
            server.process.send_signal(signal.SIGHUP)
            line = server.wait_for_line("SIGHUP: certificate and key stay as they were")
            self.assertIn("the key is encrypted", line["error"])
            self.assertEqual(server.stop(), 0)


class BadConfigFile(unittest.TestCase):
    def refused(self, text: str, says: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "millrace.toml")
            path.write_text(text)
            done = run("serve", "--config", str(path))
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done)
            self.assertIn(f"{path}:{says}", done.stderr)

    def test_a_bad_value_names_file_line_and_limit(self):
        self.refused("# ours\nloops = 0\n", says="2: loops is 0: must be 1 to 256")

    def test_an_unknown_key_names_file_and_line(self):
        self.refused("\n\nlops = 1\n", says="3: no setting is named lops")

    def test_a_value_of_another_type(self):
        self.refused("loops = [1]\n", says="1: loops must be a text or a whole number")

    def test_a_key_that_is_mistyped_and_a_table(self):
        self.refused('lisen = "127.0.0.1:1"\n', says="1: no setting is named lisen; did you mean listen?")
        self.refused("[server]\nloops = 1\n", says="1: no setting is named server: settings stand at the top")

    def test_a_text_without_quotes(self):
        self.refused("\nlisten = 127.0.0.1:4566\n", says="2: ")
        self.refused("region = us-east-1\n", says="1: ")

    def test_broken_toml(self):
        self.refused("loops = \n", says="1: ")

    def test_a_file_that_is_not_there(self):
        done = run("serve", "--config", "/nowhere/millrace.toml")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done)
        self.assertIn("/nowhere/millrace.toml", done.stderr)


class Help(unittest.TestCase):
    def test_help_and_version_go_to_stdout_and_succeed(self):
        for arguments in (["--help"], ["serve", "--help"], ["log", "verify", "--help"], ["version"], ["--version"]):
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("millrace", done.stdout)

    def test_the_version_names_commit_and_formats(self):
        lines = run("version").stdout.splitlines()
        self.assertRegex(lines[0], r"^millrace \d+\.\d+\.\d+$")
        self.assertEqual([line.split()[0] for line in lines[1:]], ["commit", "compiler", "formats"])
        self.assertRegex(lines[1], r"^commit +([0-9a-f]{7,}(-dirty)?|unknown)$")


if __name__ == "__main__":
    unittest.main()
