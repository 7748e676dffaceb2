// A line of JSON with expressions from standard input, over the resource of the file that is named: a line of JSON with their results, each a
// list of texts, or null where fhirpath.js refuses.
const fs = require('fs');
const library = require('fhirpath');
const model = require('fhirpath/fhir-context/r4');
const resource = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

const text = (v) => (v === null || typeof v !== 'object' || v.toString !== Object.prototype.toString ? String(v) : '{…}');

function result(expression) {
    try {
        return library.evaluate(resource, expression, null, model).map(text);
    } catch (e) {
        return null;
    }
}

console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(result)));
