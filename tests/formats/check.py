"""Compares what the readers of others find in mm's formats with each other.

    check.py FOLDER SCHEMAS PPROF [SAMPLES]

FOLDER has snapshot.txt, snapshot.json, profile.json and profile.pb.gz of one moment; SCHEMAS the
JSON Schemas; PPROF is the program; SAMPLES is a file in which another decoder left its samples.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from jsonschema import Draft202012Validator
from prometheus_client.openmetrics.parser import text_string_to_metric_families

# The fields of a family whose metric is named otherwise.
RENAMED = {
    "unit_size": "unit_bytes",
    "largest_free_block": "largest_free_block_units",
    "blocks_allocated": "allocated_blocks",
    "blocks_released": "released_blocks",
}
# Counters; all other figures are gauges.
COUNTERS = {"blocks_allocated", "blocks_released", "kernel_calls"}
# Figures that follow from the unit's size, and have no metric.
CONSTANT = {"unit_align", "units_per_page", "first_page_units"}


def equal(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def read_json(folder, schemas, name):
    document = json.loads((folder / f"{name}.json").read_text())
    schema = json.loads((schemas / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document)
    return document


ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]+)\}|([\\nrt0]))")


def as_chosen(text):
    """Returns a text as who chose it wrote it: mm escapes what a terminal would act on."""
    plain = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t", "0": "\0"}
    return ESCAPE.sub(lambda e: chr(int(e[1], 16)) if e[1] else plain[e[2]], text)


def key_of(family):
    at = family["location"]
    place = f"{at['file']}:{at['line']}:{at['column']}"
    return family["name"], family["path"], place, at["crate_version"]


def figures_of(schemas):
    """Returns the names of the figures of a family that may change."""
    schema = json.loads((schemas / "snapshot.schema.json").read_text())
    properties = schema["$defs"]["family"]["properties"].items()
    return {name for name, what in properties if "integer" in what.get("type", [])} - CONSTANT


def check_openmetrics(text, snapshot, figures):
    metrics = {metric.name: metric for metric in text_string_to_metric_families(text)}
    names = {name for name in metrics if name.startswith("mm_family_")}
    fields = {f"mm_family_{RENAMED.get(field, field)}": field for field in figures}
    equal(names, set(fields), "metrics")
    for name, field in fields.items():
        metric = metrics[name]
        equal(metric.type, "counter" if field in COUNTERS else "gauge", f"type of {name}")
        equal(metric.unit, name.rsplit("_", 1)[1], f"unit of {name}")
        labels = ("family", "path", "location", "version")
        found = {tuple(as_chosen(s.labels[one]) for one in labels): s.value for s in metric.samples}
        # What the system does not say has no sample.
        known = [f for f in snapshot["families"] if f[field] is not None]
        expected = {key_of(f): f[field] for f in known}
        equal(found, expected, name)
    of_process = metrics.get("mm_process_resident_bytes")
    found = of_process and of_process.samples[0].value
    equal(found, snapshot["process_resident_bytes"], "resident bytes")
    return sum(len(metric.samples) for metric in metrics.values())


def totals_of(family):
    """Returns what the samples of a family must add up to, by sample type."""
    size, every, sites = family["unit_size"], max(1, family["every"]), family["sites"]

    def recorded(field):
        return every * sum(site[field] for site in sites)

    def live(of):
        return max(family[f"live_{of}"], family[f"kept_{of}"] + recorded(f"live_{of}"))

    def rest(of):
        return live(of) - family[f"kept_{of}"] - recorded(f"live_{of}")

    not_recorded = max(0, family["blocks_allocated"] - recorded("blocks_recorded"))
    gone = max(0, not_recorded - rest("blocks"))
    return Counter(
        {
            "inuse_objects/count": live("blocks"),
            "inuse_space/bytes": live("units") * size,
            "alloc_objects/count": recorded("blocks_recorded") + not_recorded,
            "alloc_space/bytes": (recorded("units_recorded") + rest("units") + gone) * size,
        }
    )


def pprof(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        sys.exit(f"pprof {arguments}: {done.stderr}")
    return done.stdout


def check_pprof(program, path, profile):
    expected = sum(map(totals_of, profile["families"]), Counter())
    for sample_type, total in expected.items():
        index, unit = sample_type.split("/")
        unit = {"bytes": "B", "count": "count"}[unit]
        options = [f"-sample_index={index}", f"-unit={unit}", "-nodefraction=0", "-nodecount=9999"]
        top = pprof(program, "-top", *options, path)
        shown = re.search(r"accounting for (\d+)(?:B)?, 100% of (\d+)", top)
        equal(shown and shown.groups(), (str(total), str(total)), f"{index} of pprof -top")
    equal("Type: inuse_space\n" in pprof(program, "-top", path), True, "the default sample type")
    equal("one unit" in pprof(program, "-comments", path), True, "the comments")

    tags = pprof(program, "-tags", path)
    for family in profile["families"]:
        if totals_of(family)["inuse_space/bytes"]:
            equal(f": {family['path']}\n" in tags, True, f"pprof -tags has {family['path']}")
    return check_raw(pprof(program, "-raw", path), expected, profile)


def check_raw(raw, expected, profile):
    """Sums the samples of `pprof -raw`, and looks for every call site with its file and line."""
    types = re.search(r"^(alloc_objects.*)\[dflt\]$", raw, re.M).group(1).split()
    sums = Counter()
    samples = re.findall(r"^ +((?:\d+ +){3}\d+): ", raw, re.M)
    for values in samples:
        sums.update(dict(zip(types, map(int, values.split()))))
    equal(sums, expected, "sums of pprof -raw")
    for family in profile["families"]:
        for site in family["sites"]:
            at = site["location"]
            place = f"{at['file']}:{at['line']}"
            line = f" {place}:{at['column']} {place} "
            equal(line in raw, True, f"pprof -raw has{line}")
            # The frames of mm itself are left out, where they have names.
            frames = [address for address in site["frames"] if f": {address - 1:#x} " in raw]
            equal(bool(frames), bool(site["frames"]), f"pprof -raw has callers of{line}")
    return len(samples)


def check_heap(program, folder, schemas):
    """Compares the stacks of untyped memory, if the folder has them. Returns how many there are."""
    if not (folder / "heap_profile.json").exists():
        return 0
    heap = read_json(folder, schemas, "heap_profile")
    raw = pprof(program, "-raw", str(folder / "heap_profile.pb.gz"))
    samples = [
        [int(value) for value in values.split()]
        for values in re.findall(r"^ +((?:\d+ +){3}\d+): ", raw, re.M)
    ]
    # pprof leaves out the rest if it is zero.
    equal(len(samples) - len(heap["stacks"]) in (0, 1), True, "stacks and the rest")
    for sample, stack in zip(samples, heap["stacks"]):
        usage = stack["usage"]
        figures = [usage[f"allocated_{what}"] for what in ("blocks", "bytes")]
        figures += [usage[f"live_{what}"]["value"] for what in ("blocks", "bytes")]
        equal(all(abs(a - b) <= 0.5 for a, b in zip(sample, figures)), True, "figures of a stack")
    totals = [sum(sample[index] for sample in samples) for index in (2, 3)]
    of_stacks = [
        sum(stack["usage"][f"live_{what}"]["value"] for stack in heap["stacks"])
        for what in ("blocks", "bytes")
    ]
    exact = [heap["live_blocks"], heap["live_bytes"]]
    for total, stacks, live in zip(totals, of_stacks, exact):
        equal(abs(total - max(stacks, live)) <= len(samples), True, f"{total} of {live}")
    return len(samples)


def check_decoder(samples, profile):
    found, places = {}, set()
    for sample in samples:
        labels = sample["labels"]
        family = (labels["type"], labels["defined"])
        found.setdefault(family, Counter()).update(sample["values"])
        places.add((*family, labels.get("thread", ""), sample["leaf"]))
    expected = {}
    for family in profile["families"]:
        _, path, place, version = key_of(family)
        if any((totals := totals_of(family)).values()):
            expected[path, f"{place} ({version})"] = totals
        for site in family["sites"]:
            at = site["location"]
            leaf = f"{at['file']}:{at['line']}:{at['column']}"
            where = (path, f"{place} ({version})", site["thread"], leaf)
            equal(where in places, True, f"a sample at {where}")
    equal(found, expected, "sums of the other decoder")


def main(folder, schemas, program, decoded=None):
    folder, schemas = Path(folder), Path(schemas)
    snapshot = read_json(folder, schemas, "snapshot")
    profile = read_json(folder, schemas, "profile")
    metrics = check_openmetrics(
        (folder / "snapshot.txt").read_text(), snapshot, figures_of(schemas)
    )
    samples = check_pprof(program, str(folder / "profile.pb.gz"), profile)
    if decoded:
        check_decoder(json.loads(Path(decoded).read_text()), profile)
    stacks = check_heap(program, folder, schemas)
    sites = sum(len(family["sites"]) for family in profile["families"])
    families = len(profile["families"])
    print(
        f"{families} families, {sites} call sites: {metrics} OpenMetrics samples, two valid JSON "
        f"documents, {samples} pprof samples{', decoded twice' if decoded else ''}"
        f", {stacks} stacks of untyped memory"
    )


main(*sys.argv[1:])
