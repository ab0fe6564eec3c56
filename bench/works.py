"""The works that are measured over HTTP: stores and reads of both houses as servers, receipts and readers' signatures on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bench import asks, houses, load
from bench.houses import House
from bench.measure import Disk, spread_of
from bench.table import Cost, Row

Prepare = Callable[[int], Iterable[bytes]]
_COLD_REQUESTS = 48


@dataclass
class Works:
    """Measures and remembers. ``seconds``: about how long each work goes on."""

    directory: Path
    disk: Disk
    seconds: float
    tell: Callable[[Row], None]
    costs: list[Cost] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seed = 1000

    def stores_and_reads(self, root: Path, peers: dict[str, str]) -> None:
        """All of them, in a room that is filled."""
        town = asks.town(root)
        with houses.both(root) as (vault, keyholder):
            cold = self._send(
                vault, keyholder, lambda count: town.disclosures(100, count), 8, _COLD_REQUESTS, "reads, 100 each, cold"
            )
            self._rate(
                "read 100 a request, 8 connections, keyholder's cache cold",
                cold,
                100,
                35_000,
                peers.get("decrypt 100", ""),
            )
            for connections in (8, 64):
                self._work(
                    vault, keyholder, f"read one, {connections} connections", town.disclosures, 1, connections, peers
                )
            self._work(
                vault, keyholder, "read 100 a request, 8 connections, cache warm", town.disclosures, 100, 8, peers
            )
            for way, shared in (("an ask each", False), ("one ask for all", True)):
                records = self._records(town, shared)
                for connections in (8, 64):
                    name = f"store one, {way}, {connections} connections"
                    self._work(vault, keyholder, name, records, 1, connections, peers)
            self._work(
                vault, keyholder, "store 100 a request, an ask each, 8 connections", self._records(town), 100, 8, peers
            )
            for one in (vault, keyholder):
                held = one.memory_mb()
                self.tell(Row(f"memory of the {one.name} after all of it", f"{held:,.0f} MB", "300 MB", held < 300))

    def read_cost(self, root: Path, name: str) -> tuple[float, float]:
        """Reads of one record at 8 connections: microseconds of processor of both houses, and reads a second."""
        town = asks.town(root)
        with houses.both(root) as (vault, keyholder):
            count = self._count(vault, lambda some: town.disclosures(1, some), 8, 200)
            done = self._send(vault, keyholder, lambda some: town.disclosures(1, some), 8, count, name)
        return self.costs[-1].vault + self.costs[-1].keyholder, done.rate

    def _records(self, town: asks.Town, shared: bool = False) -> Callable[[int, int], Iterable[bytes]]:
        def records(size: int, count: int) -> Iterable[bytes]:
            self._seed += 1
            return town.records(size, count, self._seed, shared=shared)

        return records

    def _work(
        self,
        vault: House,
        keyholder: House,
        name: str,
        requests: Callable[[int, int], Iterable[bytes]],
        size: int,
        connections: int,
        peers: dict[str, str],
    ) -> None:
        def prepare(count: int) -> Iterable[bytes]:
            return requests(size, count)

        count = self._count(vault, prepare, connections, 200 if size == 1 else 24)
        done = self._send(vault, keyholder, prepare, connections, count, name)
        target = _TARGETS.get((name.split(maxsplit=1)[0], size), 0) if connections == 8 else 0
        beside = (
            peers.get(f"{'encrypt' if name.startswith('store') else 'decrypt'} {size}", "") if connections == 8 else ""
        )
        self._rate(name, done, size, target, beside)
        if name == "read one, 8 connections":
            self._latency(done)

    def _count(self, vault: House, prepare: Prepare, connections: int, first: int) -> int:
        """Requests that take about as long as a work is to go on; by them everything is warm, too."""
        path = self.directory / "requests"
        load.write(path, prepare(first))
        return max(first, int(load.run(vault.address, path, connections, _WANT).rate * self.seconds))

    def _send(
        self, vault: House, keyholder: House, prepare: Prepare, connections: int, count: int, name: str
    ) -> load.Load:
        path = self.directory / "requests"
        load.write(path, prepare(count))
        before = vault.processor(), keyholder.processor(), keyholder.figures()["strongroom_commits"]
        done = load.run(vault.address, path, connections, _WANT)
        commits = keyholder.figures()["strongroom_commits"] - before[2]
        in_vault, in_keyholder = (
            (one.processor() - was) / count * 1e6 for one, was in ((vault, before[0]), (keyholder, before[1]))
        )
        self.costs.append(Cost(name, in_vault, in_keyholder, done.processor / count * 1e6, count / max(1.0, commits)))
        return done

    def _rate(self, name: str, done: load.Load, size: int, target: int, beside: str) -> None:
        rate = done.rate * size
        figure = f"{rate:,.0f} records/s; {spread_of(done.times)}"
        self.tell(Row(name, figure, f"{target:,}/s" if target else "", rate >= target if target else None, beside))

    def _latency(self, done: load.Load) -> None:
        p50, p99 = (done.at(part) for part in (0.5, 0.99))
        most = 2 * self.disk.p50 + 0.005
        self.tell(Row("- its p50", f"{p50 * 1e3:.2f} ms", f"2 fsyncs + 5 ms = {most * 1e3:.2f} ms", p50 <= most))
        ratio, disk = p99 / p50, self.disk.p99 / self.disk.p50
        self.tell(
            Row(
                "- its p99",
                f"{ratio:.1f} x p50",
                f"5 x, or 1.5 x the disk's {disk:.1f} x",
                ratio <= max(5.0, 1.5 * disk),
            )
        )


_WANT = '"receipt":'
_TARGETS = {("store", 1): 1_500, ("read", 1): 2_000, ("read", 100): 35_000, ("store", 100): 25_000}
