"""Expressions over one invented Patient: functions and operators over values of every kind, whether they fit or not."""
import json
import random

PATIENT = {
    "resourceType": "Patient", "id": "p1", "meta": {"versionId": "3", "lastUpdated": "2024-03-01T08:00:00+01:00"}, "active": True,
    "identifier": [{"system": "urn:a", "value": "4711"}, {"system": "urn:b", "value": "0012"}],
    "name": [{"use": "official", "family": "Zefirelli", "given": ["Ada", "Bea"]}, {"use": "usual", "given": ["Adi"]}],
    "gender": "female", "birthDate": "1955-06-12", "deceasedBoolean": False, "multipleBirthInteger": 2,
    "telecom": [{"system": "phone", "value": "+39 080 555001", "rank": 1}, {"system": "email", "value": "a@b.example", "rank": 2}],
    "address": [{"line": ["Via Roma 1", "Int. 3"], "city": "Nord", "postalCode": "80100", "period": {"start": "2010-01", "end": "2020"}}],
    "contact": [{"name": {"family": "Kardelli"}, "gender": "male"}],
    "extension": [{"url": "urn:x", "valueDecimal": 1.50},
                  {"url": "urn:y", "valueQuantity": {"value": 5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}}],
}

STRINGS = ["name.given", "name.family", "gender", "identifier.value", "address.line", "address.city", "telecom.value", "'a,b,,c'", "'Ünï'", "''",
           "id", "birthDate.toString()", "'  x y '", "name.given.first()"]
NUMBERS = ["1", "2.50", "0", "-3", "telecom.rank", "telecom.rank.first()", "extension.value.ofType(decimal)", "7 div 2", "1.0", "3.14159", "100",
           "multipleBirth", "identifier.value.first().toInteger()", "(-2.5)"]
BOOLEANS = ["active", "deceased", "true", "false", "{}", "name.exists()", "gender = 'female'", "telecom.rank.first() > 0"]
DATES = ["birthDate", "@2024", "@2024-02", "@2024-02-29", "@2024-02-29T10:00", "@2024-02-29T10:00:00.5Z", "@2024-02-29T10:00:00+01:00",
         "meta.lastUpdated", "address.period.start", "address.period.end", "@T10:30", "@T10:30:15.250"]
QUANTITIES = ["1 'kg'", "1000 'g'", "2 years", "24 months", "1 week", "7 days", "5 'cm'", "extension.value.ofType(Quantity)", "1 'wk'", "2.0 'kg'",
              "90 minutes", "4 'h'"]
LISTS = ["name", "name.given", "telecom", "identifier", "(1|2|3|2)", "('b'|'a'|'c')", "{}", "telecom.rank", "address.line", "children()",
         "name.descendants()", "(1 | 'a' | true)"]
KINDS = [STRINGS, NUMBERS, BOOLEANS, DATES, QUANTITIES, LISTS]

OPERATORS = ["+", "-", "*", "/", "div", "mod", "&", "=", "!=", "~", "!~", "<", ">", "<=", ">=", "and", "or", "xor", "implies", "in", "contains", "|", "is",
             "as"]
TYPES = ["string", "integer", "decimal", "boolean", "date", "dateTime", "String", "System.String", "FHIR.string", "Quantity", "HumanName", "code",
         "Patient", "System.Integer", "time"]
CONVERSIONS = ["String", "Integer", "Decimal", "Boolean", "Date", "DateTime", "Time", "Quantity"]
FUNCTIONS = [f"to{t}()" for t in CONVERSIONS] + [f"convertsTo{t}()" for t in CONVERSIONS] + [
    "abs()", "ceiling()", "floor()", "round(1)", "truncate()", "sqrt()", "power(2)", "exp()", "ln()", "log(10)", "length()", "upper()", "lower()", "trim()",
    "toChars()", "not()", "exists()", "empty()", "count()", "first()", "last()", "tail()", "skip(1)", "take(2)", "distinct()", "isDistinct()", "single()",
    "type().name", "hasValue()", "getValue()", "split(',')", "join('-')", "contains('a')", "startsWith('A')", "endsWith('a')", "indexOf('a')",
    "lastIndexOf('a')", "substring(1)", "substring(1,2)", "substring(-1)", "replace('a','b')", "matches('^[A-Z]')", "matchesFull('[A-Za-z]+')",
    "replaceMatches('([a-z])','$1$1')", "allTrue()", "anyTrue()", "allFalse()", "anyFalse()", "sum()", "min()", "max()", "avg()", "lowBoundary()",
    "highBoundary()", "encode('base64')", "encode('hex')", "encode('urlbase64')", "escape('html')", "unescape('html')", "escape('json')",
    "where($this.exists())", "select($this.toString())", "all($this.exists())", "repeat(children())", "ofType(string)", "children().count()",
    "iif(true,1,2)", "is(string)", "as(string)", "combine('a')", "union('a')", "intersect('a')", "exclude('a')", "subsetOf('a'|'b')",
    "supersetOf('a')", "aggregate($total + 1, 0)", "sort()", "exists($this = 'Ada')"]


def expressions(seed=11):
    """The same for the same seed, sorted."""
    turn = random.Random(seed)
    out = set()
    for _ in range(900):
        operator, kind = turn.choice(OPERATORS), turn.choice(KINDS)
        left = turn.choice(kind)
        right = turn.choice(kind if turn.random() < 0.7 else turn.choice(KINDS))
        out.add(f"({left}).first() {operator} {turn.choice(TYPES)}" if operator in ("is", "as") else f"({left}) {operator} ({right})")
    for function in FUNCTIONS:
        for kind in KINDS:
            out.update(f"({x}).{function}" for x in turn.sample(kind, 4))
            out.update(f"({x}).first().{function}" for x in turn.sample(kind, 2))
    return sorted(out)


def patient():
    return json.dumps(PATIENT, ensure_ascii=False)
