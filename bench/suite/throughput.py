"""(a) durable writes beside the peers, and (b) beside what one core can do at most: in one run, interleaved."""
from suite.environment import Failure, say, tool
from suite.peers import BATCH, CONNECTIONS, RECORD_BYTES, MillracePeer, Peer, all_peers
from suite.results import Results, median, number

LIMIT_SECONDS = 3


def measure_limit(results: Results) -> dict:
    limit = tool("limit", LIMIT_SECONDS, RECORD_BYTES)
    results.add("b", **limit)
    results.table(
        f"b: the limit of one core, a PutRecords body of {limit['records']} × {RECORD_BYTES} B ({limit['body_bytes']:,} B)",
        ["", "SHA-256 µs", "simdjson µs", "base64 µs", "MD5 µs", "whole body µs", "records/s"],
        [[name, limit["sha256_us"], limit["simdjson_us"], one["base64_us"], one["md5_us"], one["body_us"],
          number(one["records_per_s"])]
         for name, one in (("plain libraries, a record at a time", limit["plain"]), ("wide kernels", limit["wide"]))])
    return limit


def prepared(peers: list[Peer]) -> list[Peer]:
    ready = []
    for peer in peers:
        try:
            peer.prepare()
            ready.append(peer)
        except Failure as failure:
            say(f"bench: skipping {peer.name}: {failure}")
    return ready


def run_a(results: Results, options) -> None:
    peers = prepared([MillracePeer(), *(peer for peer in all_peers() if options.peer in peer.name.lower())])
    rates: dict[str, list[float]] = {peer.name: [] for peer in peers}
    cpu: dict[str, list[float]] = {peer.name: [] for peer in peers}
    errors: dict[str, dict] = {}
    limit = measure_limit(results)
    for turn in range(options.rounds):
        for peer in peers:
            try:
                one = peer.measure(options.seconds)
            except Failure as failure:
                say(f"bench: {peer.name}, round {turn + 1}: {failure}")
                results.add("a", contender=peer.name, round=turn + 1, failure=str(failure))
                continue
            say(f"a, round {turn + 1}: {peer.name}: {number(one['records_per_s'])} records/s")
            results.add("a", contender=peer.name, round=turn + 1, **one)
            rates[peer.name].append(one["records_per_s"])
            cpu[peer.name].append(one["server_cpu_seconds"])
            if one.get("errors"):
                errors[peer.name] = one["errors"]

    if not rates[MillracePeer.name]:
        raise Failure("Millrace could not be measured")
    ours = median(rates[MillracePeer.name])
    rows = []
    for peer in peers:
        if not rates[peer.name]:
            rows.append([peer.name, peer.durable, "failed", "", ""])
            continue
        rate = median(rates[peer.name])
        rows.append([peer.name, peer.durable, number(rate),
                     f"{number(min(rates[peer.name]))} to {number(max(rates[peer.name]))}",
                     f"{ours / rate:.2f}" if rate > 0 else "-"])
    results.table(f"a: records/s, {RECORD_BYTES} B each, {CONNECTIONS} connections, {BATCH} a request or pipeline; medians "
                  f"of {options.rounds} × {options.seconds:.0f} s",
                  ["", "on the disk when acknowledged", "records/s", "least to most", "Millrace ÷ it"], rows)
    for name, kinds in errors.items():
        results.text(f"Errors of {name}: {kinds}.")
    for name in ("plain", "wide"):
        share = ours / limit[name]["records_per_s"]
        results.add("b", against=name, share=share)
        results.text(f"Millrace reached {share:.0%} of (b) with {name} kernels, "
                     f"{number(limit[name]['records_per_s'])} records/s.")
        say(f"b: Millrace ÷ limit ({name}): {share:.0%}")


def run_b(results: Results, options) -> None:
    del options
    measure_limit(results)
