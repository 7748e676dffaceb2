#include "views/fhir.h"

#include <cstdint>
#include <string>

#include "base/hash.h"

namespace porta::views {

namespace {

/// Identity of an entry: a name-based UUID (RFC 4122 §4.3, with SHA-256 in the place of SHA-1, version 8) over what it
/// says, so that the same view gives the same bundle.
std::string urn(const std::string& content) {
    Sha256 d = sha256("porta fhir " + content);
    d[6] = static_cast<std::uint8_t>((d[6] & 0x0f) | 0x80);
    d[8] = static_cast<std::uint8_t>((d[8] & 0x3f) | 0x80);
    std::string h = hex(d.data(), 16);
    return "urn:uuid:" + h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) + "-" +
           h.substr(20);
}

/// FHIR dateTime needs an offset as soon as it has a time (R4 §2.24.0.1.9); a time without one is cut to its day.
std::string dateTime(const std::string& text) {
    std::size_t t = text.find('T');
    if (t == std::string::npos) return text;
    std::string time = text.substr(t + 1);
    bool zoned = !time.empty() && (time.back() == 'Z' || time.find_first_of("+-") != std::string::npos);
    return zoned && time.size() >= 9 ? text : text.substr(0, t);
}

std::string present(const Json& from, const char* key) { return from.text(key); }

Json single(Json value) {
    Json a = Json::array();
    a.push(std::move(value));
    return a;
}

Json object(std::initializer_list<std::pair<const char*, Json>> members) {
    Json o = Json::object();
    for (const auto& [key, value] : members)
        if (!value.isNull() && !(value.isString() && value.string().empty())) o[key] = value;
    return o;
}

/// A coded value of ours, or a plain text, as CodeableConcept.
Json concept_(const Json* value) {
    if (!value || value->isNull()) return {};
    if (value->isString()) return object({{"text", value->string()}});
    Json coding =
        object({{"system", value->text("system")}, {"code", value->text("code")}, {"display", value->text("display")}});
    Json out = Json::object();
    // A system in FHIR is a URI; a local name of a code list is not one.
    if (coding.text("system").find(':') == std::string::npos)
        coding = object({{"code", value->text("code")}, {"display", value->text("display")}});
    if (coding.size()) out["coding"] = single(coding);
    std::string text = value->text("display").empty() ? value->text("source_code") : value->text("display");
    if (!text.empty()) out["text"] = text;
    return out.size() ? out : Json();
}

void entry(Json& entries, const std::string& full_url, Json resource) {
    entries.push(object({{"fullUrl", full_url}, {"resource", std::move(resource)}}));
}

Json patient(const Json& identity) {
    Json p = object({{"resourceType", "Patient"}});
    Json identifiers = Json::array(), names = Json::array(), addresses = Json::array(), telecom = Json::array();
    auto each = [&](const char* key, auto&& use) {
        if (const Json* list = identity.find(key))
            for (const Json& one : list->items()) use(one);
    };
    each("identifiers", [&](const Json& i) {
        Json type = object({{"text", i.text("type")}});
        Json assigner = i.text("issuer").empty() ? Json() : object({{"display", i.text("issuer")}});
        identifiers.push(object({{"type", type}, {"value", i.text("value")}, {"assigner", assigner}}));
    });
    each("names", [&](const Json& n) {
        Json given = n.find("given") && n.find("given")->isArray() ? *n.find("given") : Json();
        Json name = object({{"family", n.text("family")}, {"given", given}});
        if (!n.text("prefix").empty()) name["prefix"] = single(n.text("prefix"));
        if (name.size()) names.push(std::move(name));
    });
    each("addresses", [&](const Json& a) {
        Json address = object({{"text", a.text("full")},
                               {"city", a.text("post_name")},
                               {"postalCode", a.text("post_code")},
                               {"country", a.text("country")}});
        if (!a.text("thoroughfare").empty()) address["line"] = single(a.text("thoroughfare"));
        if (address.size()) addresses.push(std::move(address));
    });
    each("contacts", [&](const Json& c) {
        std::string kind = c.text("kind");
        telecom.push(
            object({{"system", kind == "phone" || kind == "email" ? kind : "other"}, {"value", c.text("value")}}));
    });
    // FHIR refuses empty arrays (R4 §2.6.2).
    if (identifiers.size()) p["identifier"] = identifiers;
    if (names.size()) p["name"] = names;
    if (telecom.size()) p["telecom"] = telecom;
    for (const char* code : {"male", "female", "other", "unknown"})
        if (present(identity, "sex") == code) p["gender"] = code;
    if (!present(identity, "birth_date").empty()) p["birthDate"] = present(identity, "birth_date").substr(0, 10);
    if (!present(identity, "death_date").empty()) p["deceasedDateTime"] = dateTime(present(identity, "death_date"));
    if (addresses.size()) p["address"] = addresses;
    return p;
}

/// ActEncounterCode, the value set of Encounter.class (R4: extensible).
Json encounterClass(const Json& e) {
    const Json* kind = e.find("kind");
    std::string code = kind && kind->isObject() ? kind->text("code") : "";
    static const char* const known[][2] = {
        {"IMP", "inpatient encounter"}, {"AMB", "ambulatory"}, {"EMER", "emergency"},
        {"HH", "home health"},          {"VR", "virtual"},     {"ACUTE", "inpatient acute"},
        {"PRENC", "pre-admission"},     {"SS", "short stay"}};
    for (const auto& [c, display] : known)
        if (code == c)
            return object(
                {{"system", "http://terminology.hl7.org/CodeSystem/v3-ActCode"}, {"code", c}, {"display", display}});
    return object(
        {{"system", "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"}, {"code", "UNK"}, {"display", "unknown"}});
}

Json encounter(const Json& e, const std::string& subject) {
    std::string status = e.text("status");
    // R4 has no `completed`: our four states have these names in EncounterStatus.
    if (status != "planned" && status != "in-progress" && status != "finished" && status != "cancelled")
        status = "unknown";
    Json r = object({{"resourceType", "Encounter"},
                     {"status", status},
                     {"class", encounterClass(e)},
                     {"subject", object({{"reference", subject}})}});
    if (Json period = object({{"start", dateTime(e.text("start"))}, {"end", dateTime(e.text("end"))}}); period.size())
        r["period"] = period;
    if (Json reason = concept_(e.find("reason")); !reason.isNull()) r["reasonCode"] = single(reason);
    if (const Json* w = e.find("worker"); w && !w->text("name").empty())
        r["participant"] = single(object({{"individual", object({{"display", w->text("name")}})}}));
    if (!e.text("service").empty()) r["serviceType"] = object({{"text", e.text("service")}});
    if (!e.text("location").empty())
        r["location"] = single(object({{"location", object({{"display", e.text("location")}})}}));
    return r;
}

Json condition(const Json& c, const std::string& subject) {
    Json r = object({{"resourceType", "Condition"}});
    std::string status = c.text("status");
    for (const char* known : {"active", "recurrence", "relapse", "inactive", "remission", "resolved"})
        if (status == known)
            r["clinicalStatus"] = object(
                {{"coding", single(object({{"system", "http://terminology.hl7.org/CodeSystem/condition-clinical"},
                                           {"code", known}}))}});
    // Constraint con-5: an abatement needs a clinical status that can have ended.
    if (!r.find("clinicalStatus") && !c.text("abatement").empty())
        r["clinicalStatus"] =
            object({{"coding", single(object({{"system", "http://terminology.hl7.org/CodeSystem/condition-clinical"},
                                              {"code", "resolved"}}))}});
    if (Json code = concept_(c.find("code")); !code.isNull()) r["code"] = code;
    r["subject"] = object({{"reference", subject}});
    if (!c.text("onset").empty()) r["onsetDateTime"] = dateTime(c.text("onset"));
    if (!c.text("abatement").empty() && status != "active" && status != "recurrence" && status != "relapse")
        r["abatementDateTime"] = dateTime(c.text("abatement"));
    if (!c.text("recorded").empty()) r["recordedDate"] = dateTime(c.text("recorded"));
    return r;
}

}  // namespace

Json toFhir(const Json& view) {
    Json entries = Json::array();
    std::string person = urn(view.text("person") + " " + view.text("purpose"));
    const Json* identity = view.find("identity");
    entry(entries, person, patient(identity ? *identity : Json::object()));
    auto each = [&](const char* section, auto&& make) {
        const Json* list = view.find(section);
        for (std::size_t i = 0; list && i < list->size(); ++i)
            entry(entries, urn(person + section + std::to_string(i) + canonical(list->items()[i])),
                  make(list->items()[i], person));
    };
    each("encounters", encounter);
    each("conditions", condition);
    return object({{"resourceType", "Bundle"}, {"type", "collection"}, {"entry", entries}});
}

}  // namespace porta::views
