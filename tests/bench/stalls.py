#!/usr/bin/env python3
"""What small requests feel of other work in the server: latencies, with and without a disturbance.

    stalls.py [--peer BINARY] [--quick] [--rounds N] [--seconds S] [disturbance ...]

Eight connections send small stores at half the rate that the server can take, which is measured
first. They do so twice: while nothing else happens, and beside one of these disturbances:

    growth    somebody stores new keys, from 1 to 10 million: the index grows
    moves     somebody stores 2 KB values into a cache full of small ones: pages change hands
    expiry    1 GB of items expires in the same second
    flush     flush_all of as many
    dump      `lru_crawler metadump all` of three million items, over and over
    large     a client stores values of 100 MB, over and over, into a full cache
    large-10  ten such clients at a time

The client's figures count from the moment a request was due until it was answered, so with few
cores they are a matter of the operating system's, too: who disturbs wants a core as well. The
server's own are from `stats larder`: a request's service time, and the length of a turn of a
worker's loop, which is the longest that it may have waited for others. A disturbance that did not
happen ends the run. Larder and memcached take turns, and each figure is the median of the rounds.
"""

import argparse
import math
import os
import statistics
import subprocess

import bench_servers
import stall_disturbances
from bench_servers import BenchError, Server
from stall_disturbances import DISTURBANCES, SMALL_VALUE_BYTES, ask, connect

CLIENT_FIGURES = ("p50_us", "p99_us", "p999_us", "max_us")
SERVER_FIGURES = ("latency_p999_us", "latency_max_us", "turn_p999_us", "turn_max_us")
CONNECTIONS = 8
SECONDS_FACTOR_MAX = 2  # a server that falls behind is not waited for longer than this
STALL_US_MAX = 1000  # that a disturbance may add to the server's own p99.9


def load_command(arguments, port, requests, rate, seconds_max):
    return [arguments.loadgen, f"--port={port}", "--op=set", f"--connections={CONNECTIONS}",
            "--pipeline=1", "--keys=1000", f"--value-bytes={SMALL_VALUE_BYTES}", "--warmup=0",
            f"--requests={requests}", f"--rate={rate}", f"--seconds-max={seconds_max}"]


def half_rate(arguments, server):
    """Requests a second: half of what the server takes from the same connections."""
    with server.running() as (_, port):
        figures = bench_servers.run_tool(load_command(arguments, port, arguments.full_requests, 0, 0))
    return int(float(figures["throughput"])) // 2


def timed_load(arguments, port, rate, is_larder, act):
    """Runs the load, and `act` beside it. Returns the client's and the server's figures, and how
    much of the load could be sent before patience was over."""
    with connect(port) as client:
        ask(client, b"stats reset\r\n")
    request_count = max(int(rate * arguments.seconds), 1)
    command = load_command(arguments, port, request_count, rate,
                           math.ceil(arguments.seconds * SECONDS_FACTOR_MAX))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as loading:
        act()
        line, complaint = loading.communicate()
    if loading.returncode != 0:
        raise BenchError(f"loadgen: {complaint.strip()}")
    client_figures = dict(field.split("=") for field in line.split())
    figures = [float(client_figures[name]) for name in CLIENT_FIGURES]
    if is_larder:
        own = bench_servers.stats(port, "larder")
        figures += [float(own[name]) for name in SERVER_FIGURES]
    return figures, int(client_figures["requests"]) / request_count


def measure(arguments, server, disturbance, rate):
    """One round: the figures without and with the disturbance, and what it did."""
    is_larder = server.name == "Larder"
    with server.running() as (_, port):
        disturber = DISTURBANCES[disturbance](arguments, port)
        disturber.prepare()
        alone, _ = timed_load(arguments, port, rate, is_larder, lambda: None)
        before = bench_servers.stats(port)
        disturber.begin()
        try:
            beside, sent_part = timed_load(arguments, port, rate, is_larder, disturber.act)
        finally:
            disturber.end()
        happened, told = disturber.told(before, disturber.settle(before))
    if is_larder and not happened:
        raise BenchError(f"{disturbance} did not happen: {told}")
    if sent_part < 1:
        told += f"; {sent_part:.0%} of the load could be sent"
    return alone, beside, told


def medians(runs):
    return [statistics.median(column) for column in zip(*runs)]


def print_figures(name, server, figures, told):
    cells = [f"{us:,.0f}" for us in figures] + ["-"] * (len(SERVER_FIGURES) + len(CLIENT_FIGURES)
                                                        - len(figures))
    bench_servers.print_row([name, server.name, *cells, told])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("disturbances", nargs="*", metavar="disturbance",
                        help=f"of {', '.join(DISTURBANCES)}; all if none is named")
    parser.add_argument("--peer", default=os.environ.get("MEMCACHED", "memcached"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="of each load")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a smoke run")
    arguments = parser.parse_args()
    arguments.sizes = stall_disturbances.FULL
    arguments.full_requests = 300_000
    if arguments.quick:
        arguments.sizes = stall_disturbances.QUICK
        arguments.rounds, arguments.seconds, arguments.full_requests = 1, 0.2, 3000
    unknown = set(arguments.disturbances) - set(DISTURBANCES)
    if unknown:
        parser.error(f"there is no disturbance {', '.join(unknown)}")
    return arguments


def servers_with(arguments, memory_mb):
    flags = ("-t", str(arguments.threads), "-m", str(memory_mb),
             "-I", f"{max(arguments.sizes.large_mb * 5 // 4, 2)}m", *bench_servers.root_flags())
    return [
        Server("Larder", bench_servers.program_from_environment("LARDER", "larder"), flags),
        Server("memcached", bench_servers.program(arguments.peer, "--peer"), flags)]


def compare(arguments, disturbance, rates):
    """Prints the rows of a disturbance. Returns what it adds to the server's p99.9, in us."""
    servers = servers_with(arguments, DISTURBANCES[disturbance].memory_mb(arguments.sizes))
    runs = {server.name: [] for server in servers}
    for _ in range(arguments.rounds):
        for server in servers:
            runs[server.name].append(measure(arguments, server, disturbance, rates[server.name]))
    added = {}
    for server in servers:
        alone, beside, told = zip(*runs[server.name])
        alone, beside = medians(alone), medians(beside)
        print_figures(f"before {disturbance}", server, alone, "-")
        print_figures(disturbance, server, beside, "; ".join(dict.fromkeys(told)))
        added[server.name] = [with_it - without
                              for without, with_it in zip(alone, beside)][len(CLIENT_FIGURES):]
    return dict(zip(SERVER_FIGURES, added["Larder"]))


def main():
    arguments = parse_arguments()
    arguments.loadgen = bench_servers.program_from_environment("LOADGEN", "loadgen")
    servers = servers_with(arguments, arguments.sizes.memory_mb)
    bench_servers.print_preamble(*servers)
    rates = {server.name: half_rate(arguments, server) for server in servers}
    print("- " + "; ".join(f"{name}: {rate:,} requests/s" for name, rate in rates.items()))
    bench_servers.print_head(["beside", "server", "p50 us", "p99 us", "p99.9 us", "slowest us",
                              "service p99.9", "service slowest", "turn p99.9", "turn slowest",
                              "meanwhile"])
    added = {disturbance: compare(arguments, disturbance, rates)
             for disturbance in arguments.disturbances or DISTURBANCES}
    print()
    for disturbance, figures in added.items():
        most_us = max(figures["latency_p999_us"], figures["turn_p999_us"])
        verdict = "kept" if most_us <= STALL_US_MAX else "missed"
        print(f"- {disturbance} adds {most_us:,.0f} us to the server's p99.9, "
              f"target {STALL_US_MAX:,}: {verdict}")
    return 0


if __name__ == "__main__":
    bench_servers.run_main(main)
