// fhirpath.js or JSONata on one NDJSON file, warm, the expressions compiled before. engine.js NAME FILE; line protocol:
//   answers       a line of JSON for each record: the seven values
//   go SECONDS    nanoseconds of processor time a record from its text, and from an object that JSON.parse made before
const fs = require('fs');

const PATHS = ['identifier.value', 'identifier.system', 'name.family', 'name.given', 'gender', 'birthDate', 'telecom.value'];

// Without a model its own types need no conversion to plain ones: at its best.
function fhirpath(model) {
    const library = require('fhirpath');
    const compiled = PATHS.map((p) => library.compile(p, model, {resolveInternalTypes: model !== null}));
    return (record) => compiled.map((f) => f(record)[0]);
}

function jsonata(library) {
    const expression = library('[' + PATHS.join(', ') + ']');
    return (record) => expression.evaluate(record);
}

const engines = {
    'fhirpath': () => fhirpath(null),
    'fhirpath-r4': () => fhirpath(require('fhirpath/fhir-context/r4')),
    'jsonata': () => jsonata(require('jsonata')),
    'jsonata1': () => jsonata(require('jsonata1')),
};

const values = engines[process.argv[2]]();
const lines = fs.readFileSync(process.argv[3], 'utf8').trimEnd().split('\n');
const records = lines.map((line) => JSON.parse(line));
let kept;

async function time(seconds, one) {
    const start = process.cpuUsage();
    const used = () => { const u = process.cpuUsage(start); return 1000 * (u.user + u.system); };
    let done = 0;
    do {
        for (let i = 0; i < lines.length; ++i) {
            const v = one(i);
            kept = v instanceof Promise ? await v : v;
        }
        done += lines.length;
    } while (used() < 1e9 * seconds);
    return used() / done;
}

async function main() {
    for await (const line of require('readline').createInterface({input: process.stdin})) {
        if (line === 'answers') {
            for (const r of records) console.log(JSON.stringify(await values(r)));
        } else {
            const seconds = Number(line.split(' ')[1]);
            const whole = await time(seconds, (i) => values(JSON.parse(lines[i])));
            console.log(whole + ' ' + await time(seconds, (i) => values(records[i])));
        }
    }
}
main();
