#pragma once
/// Compiles one mapping file. Private to mapping/engine: loader.cpp has the order of things and the emits,
/// loader_fields.cpp the fields, loader_tables.cpp tables and terms, loader_checks.cpp what is held against the models.
/// A mistake ends the part it stands in (a field, a table, an emit), not the load: all of them are told at once.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "base/yaml.h"
#include "fhirpath/shape.h"
#include "mapping/engine/compiled.h"
#include "mapping/engine/findings.h"

namespace porta::mapping {

/// As canonical JSON has it, for digests.
Json toJson(const Yaml& y);

struct Loader {
    Program::Impl& out;
    const std::string& path;
    std::string text;  ///< of the file: columns inside expressions, quotes of keys
    std::vector<Finding>& findings;

    // What expressions are held against; models.h.
    std::shared_ptr<const fhirpath::Shape> shape = nullptr;
    std::map<std::string, fhirpath::Known> variables = {};
    fhirpath::Known here = {};   ///< what an expression starts from
    fhirpath::Known given = {};  ///< what the last expression gives
    bool model_named = false;    ///< false: open, because the mapping names none
    Json terms_digest = Json::object();
    std::vector<std::string> lines = {};
    std::vector<std::string> names = {"record",       "source", "objectTime", "context", "resource",
                                      "rootResource", "ucum",   "sct",        "loinc",   "terminologies"};

    /// Stops the part of the mapping that is wrong.
    struct Stop {
        Finding finding;
    };
    /// Runs a part; what is wrong with it is kept, and the load goes on behind it.
    template <typename Part>
    void guarded(Part part) {
        try {
            part();
        } catch (const Stop& s) {
            findings.push_back(s.finding);
        }
    }

    // loader_checks.cpp
    Finding finding(const Yaml& at, std::string rule, std::string message, std::string near = {}) const;
    [[noreturn]] void stop(const Yaml& at, std::string rule, std::string message, std::string near = {}) const;
    [[noreturn]] void unknown(const Yaml& at, const std::string& rule, const std::string& what,
                              const std::string& found, const std::vector<std::string>& known) const;
    /// A map without other keys than these.
    void keys(const Yaml& map, const std::vector<std::string>& known);
    std::string scalar(const Yaml& at, const std::string& what);
    std::string member(const Yaml& map, const std::string& key, std::string otherwise = {});
    std::string choice(const Yaml& at, const std::string& what, const std::vector<std::string>& known);
    /// Where key number `i` of a map stands.
    static Yaml keyAt(const Yaml& map, std::size_t i);
    /// `NO`, `yes`, `on`, `~`: text here, a boolean or nothing to other readers of YAML. Refused where it is not quoted.
    void unquoted(const Yaml& at) const;
    fhirpath::Expression expression(const Yaml& at);
    std::optional<fhirpath::Expression> optional(const Yaml& map, std::string_view key);
    /// The same, of which one value is taken: a list is refused.
    fhirpath::Expression single(const Yaml& at, const std::string& what);
    /// An expression that parts are taken of, one after the other: what it gives becomes `here` until the end of Inside.
    struct Inside {
        Loader& loader;
        fhirpath::Known before;
        Inside(Loader& l, bool moves);
        ~Inside() { loader.here = before; }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
    };
    /// `given` against what the field holds: kind of value, one or many, value set. Throws Stop.
    void fits(const Yaml& at, const ValueRule& rule, const std::string& entity, const std::string& where, bool list);

    // loader_tables.cpp
    Row row(const Yaml& y, const Table& table);
    void table(const Yaml& y, Table& table);
    void tables(const Yaml& y);
    void answering(const Yaml& at, const Table& table, const std::string& about);
    bool resource(const Yaml& at, const std::string& name, const std::string& file);
    /// A file that the mapping names.
    std::string beside(const std::string& file) const;
    /// Code maps, value sets and code systems in files of their own, beside the mapping; part of its digest.
    void terms(const Yaml& y);

    // loader_fields.cpp
    std::uint32_t rule(const Yaml& at, const std::string& name, const std::string& table = {});
    ValueRule value(const Yaml& y, const std::string& entity, const std::string& where, const std::string& name,
                    Target target, bool list);
    /// The targets of a table against what the field may hold.
    void valuesOf(const Yaml& at, const Table& table, const std::string& entity, const std::string& where,
                  Target target);
    /// Lists a code of which a table cannot say which row it takes.
    void undecided(const Yaml& at, const Table& table);
    FieldRule field(const Yaml& y, const std::string& entity, const std::string& where, const std::string& name);
    FieldRule item(const Yaml& y, const std::string& entity, const std::string& where, const std::string& name);
    std::vector<FieldRule> members(const Yaml& y, const std::string& entity, const std::string& where,
                                   const std::string& name, const std::vector<std::string>& besides, bool whole);

    // loader.cpp
    void input(const Yaml& y);
    void let(const Yaml& y);
    /// `{expr, document, decode, fhir, model}`: what the last expression gives, opened.
    void document(const Yaml& y, const std::string& name);
    fhirpath::PlaceId joined(const fhirpath::Shape& document);
    std::vector<SubjectRule> subjects(const Yaml& y);
    void version(const Yaml& y, EmitRule& e);
    void emit(const Yaml& y, std::size_t index);
    void run(const Yaml& y);

    /// The program, or nothing where a finding is an error.
    static std::shared_ptr<const Program> load(const std::string& path, std::vector<Finding>& findings);
    /// The same of what stands in a file; `text`: its bytes, or nothing where they are not at hand.
    static std::shared_ptr<const Program> compile(const Yaml& yaml, std::string text, const std::string& path,
                                                  std::vector<Finding>& findings);
};

}  // namespace porta::mapping
