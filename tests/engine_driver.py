"""Evaluates structures through an engine, in the environment of its package.

``python engine_driver.py TASK OUTPUT`` with the job as JSON on standard input; arrays go into an
.npz file.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import engine_structures
import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from compute.engines.engine import Engine, Graph, ModelFacts, OutOfMemoryError, Results, Wanted
from compute.engines.loading import load_engine
from compute.engines.neighbours import build_graph
from compute.worker.batches import Member
from compute.worker.structures import Structure, prepare
from lake.errors import AtomlakeError

Arrays = dict[str, NDArray[Any]]


def graph_of(atoms: Atoms, r_max: float | None) -> Graph:
    numbers = atoms.numbers.astype(np.int64)
    cell = atoms.cell.array
    if r_max is not None:
        return build_graph(numbers, atoms.positions, cell, atoms.pbc, r_max)
    no_edges = np.empty((2, 0), np.int64), np.empty((0, 3))
    return Graph(numbers, atoms.positions, cell, atoms.pbc, *no_edges)


def structure_of(identity: int, atoms: Atoms) -> Structure:
    numbers = atoms.numbers.astype(np.int64)
    return Structure(identity, numbers, atoms.positions, atoms.cell.array, atoms.pbc)


class Driver:
    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        names = ("device", "dtype", "options")
        self.engine: Engine = load_engine(
            job["engine"], job["path"], **{name: job[name] for name in names}
        )
        self.layers = tuple(range(len(self.engine.facts.layers)))

    def evaluate(self, structures: Sequence[Atoms], forces: bool = True) -> Results:
        found = prepare([structure_of(i, a) for i, a in enumerate(structures)], self.engine.facts)
        batch = self.engine.collate([member.graph for member in found])
        return self.engine.evaluate(batch, Wanted(forces, self.layers))

    def arrays(self, structures: Sequence[Atoms], prefix: str, forces: bool = True) -> Arrays:
        results = self.evaluate(structures, forces)
        arrays: Arrays = {"energy": results.energy}
        if results.forces is not None:
            arrays["forces"] = results.forces
        if results.stress is not None:
            arrays["stress"] = results.stress
        arrays |= {f"latent.{layer}": values for layer, values in results.latents.items()}
        return {f"{prefix}/{name}": values for name, values in arrays.items()}

    def conformance(self) -> Arrays:
        """All structures at once, in other batches, turned, and through the package's own.

        With what becomes of energies near by, of structures beside a bad one, and of a batch too
        large.
        """
        structures = list(engine_structures.tricky_structures().values())
        rotation = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
        turned = [engine_structures.rotated(atoms, rotation) for atoms in structures]
        arrays = self.arrays(structures, "all")
        arrays |= self.arrays(structures[::-1], "reversed")
        arrays |= self.arrays(structures, "without forces", forces=False)
        arrays |= self.arrays(turned, "rotated") | {"rotation": rotation}
        for i, atoms in enumerate(structures):
            arrays |= self.arrays([atoms], f"alone {i}")
        arrays |= self.references(structures)
        for task in self.job["tasks"]:
            arrays |= getattr(self, task)()
        return arrays

    def references(self, structures: Sequence[Atoms]) -> Arrays:
        from engine_references import reference_of

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the packages
            evaluate = reference_of(
                *(self.job[n] for n in ("engine", "path", "device")),
                self.job["dtype"],
                self.job["options"],
            )
            return {
                f"reference {i}/{name}": values
                for i, atoms in enumerate(structures)
                for name, values in evaluate(atoms).items()
            }

    def derivatives(self) -> Arrays:
        """Energies of displaced and strained structures."""
        structures = engine_structures.tricky_structures()
        arrays: Arrays = {}
        for name in engine_structures.DISPLACED:
            moved = engine_structures.displaced(structures[name])
            arrays[f"displaced/{name}"] = self.evaluate(moved, forces=False).energy
        for name in engine_structures.STRAINED:
            under_strain = engine_structures.strained(structures[name])
            arrays[f"strained/{name}"] = self.evaluate(under_strain, forces=False).energy
        return arrays

    def apart(self) -> Arrays:
        """A structure the model cannot digest, among others."""
        structures = engine_structures.tricky_structures()
        good = [structures["triclinic"], structures["dimer"], structures["large"]]
        bad = Atoms("CuCu", positions=np.zeros((2, 3)))
        return self.arrays(good, "good") | self.arrays([good[0], bad, *good[1:]], "mixed")

    def out_of_memory(self) -> Arrays:
        """A batch that does not fit, then one that does."""
        structures = engine_structures.tricky_structures()
        small = self.arrays([structures["triclinic"]], "before")
        n_copies = 500 if self.job["device"] == "cpu" else 40_000
        graphs = [graph_of(structures["large"], self.engine.facts.r_max)] * n_copies
        batch = self.engine.collate(graphs)
        if self.job["device"] == "cpu":
            pages = int(Path("/proc/self/statm").read_text().split()[5])
            used = pages * resource.getpagesize()
            limit = used + 50_000_000
            resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
        try:
            self.engine.evaluate(batch, Wanted(True, self.layers))
        except OutOfMemoryError as error:
            message = str(error)
        del batch
        return (
            small | self.arrays([structures["triclinic"]], "after") | {"message": np.array(message)}
        )


def edges() -> Arrays:
    """Edges of random structures, as rows of centre, neighbour and shifts.

    Each found alone, and in groups, where molecules are searched together.
    """
    arrays: Arrays = {}
    structures = list(engine_structures.random_structures(150))
    for i, (atoms, r_max) in enumerate(structures):
        arrays[str(i)] = _rows(graph_of(atoms, r_max))
    facts = ModelFacts(r_max=structures[0][1])
    group = [structure_of(i, atoms) for i, (atoms, _) in enumerate(structures)]
    for member in prepare(group, facts):
        assert isinstance(member, Member)
        arrays[f"{member.structure_id} in a group"] = _rows(member.graph)
    return arrays


def _rows(graph: Graph) -> NDArray[np.int64]:
    return np.column_stack([graph.edge_index.T, graph.shifts.astype(np.int64)])


def refusals(jobs: Sequence[dict[str, Any]]) -> Arrays:
    """The class and text of the error of every job."""
    texts = []
    for job in jobs:
        try:
            load_engine(job.pop("engine"), job.pop("path"), **job)
        except AtomlakeError as error:
            texts.append(f"{type(error).__name__}: {error}")
        else:
            texts.append("loaded")
    return {"texts": np.array(texts)}


def main(task: str, output: str) -> None:
    job = json.load(sys.stdin)
    if task != "conformance" or job["engine"] != "ase":
        warnings.simplefilter("error")  # an engine warns of nothing; a calculator may
    if task == "edges":
        arrays = edges()
    elif task == "refusals":
        arrays = refusals(job)
    else:
        arrays = Driver(job).conformance()
    np.savez(output, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
