// Decodes a pprof profile with a decoder that shares no code with pprof, and prints its samples as
// JSON: labels and values by name, and the function of the innermost frame.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";

const profile = Profile.decode(gunzipSync(readFileSync(process.argv[2])));
const text = (number) => profile.stringTable.strings[Number(number)];
const locations = new Map(profile.location.map((one) => [one.id, one]));
const functions = new Map(profile.function.map((one) => [one.id, one]));
const types = profile.sampleType.map((one) => `${text(one.type)}/${text(one.unit)}`);

const leaf = (sample) => {
    const { line } = locations.get(sample.locationId[0]);
    return text(functions.get(line[0].functionId).name);
};
const samples = profile.sample.map((sample) => ({
    leaf: leaf(sample),
    labels: Object.fromEntries(sample.label.map(({ key, str }) => [text(key), text(str)])),
    values: Object.fromEntries(sample.value.map((value, at) => [types[at], Number(value)])),
}));
console.log(JSON.stringify(samples));
