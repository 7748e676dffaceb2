#pragma once
/// What Porta itself holds of terminologies, as FHIRPath's terminology functions ask it: the classifications of hierarchy.h, the
/// value sets of the common schema, and what a mapping or a command line names beside them.
///
///     std::shared_ptr<Terms> terms = Terms::builtIn();
///     auto url = terms->add(bytes_of_a_value_set);
///     options.terminology = terms;
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "fhirpath/terminology.h"
#include "mapping/terminology/code_map.h"
#include "mapping/terminology/hierarchy.h"

namespace porta::mapping {

class Terms final : public fhirpath::Terminology {
public:
    /// The targets of a code on a day; false where several are equally good.
    using Translate = std::function<bool(std::string_view code, std::string_view day, std::vector<Match>& out)>;
    struct Listed {
        Kind kind = Kind::value_set;
        std::vector<std::string> names;  ///< the first is its URL where it has one
        std::size_t codes = 0;
        bool all = true;  ///< no code is missing
    };

    /// What is there without any file. The caller's own: others that are added to it are nobody else's.
    static std::shared_ptr<Terms> builtIn();
    /// A FHIR ValueSet, CodeSystem or ConceptMap (R4, R5; JSON), known by its URL and by `name`. Gives the URL.
    /// Errors: malformed, with what is missing or is not read.
    Result<std::string> add(std::string_view json, const std::string& name = {});
    void addMap(std::vector<std::string> names, std::string source_system, std::size_t codes, Translate translate);
    std::vector<Listed> list() const;

    Id find(Kind kind, std::string_view url) const override;
    std::string_view url(Kind kind, Id id) const override;
    std::vector<std::string> urls(Kind kind) const override;
    bool mixed(Id set) const override;
    Answer member(Id set, const fhirpath::Coding& coding, std::string_view& display) const override;
    bool expand(Id set, std::vector<fhirpath::Coding>& out) const override;
    Answer holds(Id system, std::string_view code, std::string_view& display) const override;
    std::vector<std::string> parents(Id system, std::string_view code) const override;
    Answer above(Id system, std::string_view upper, std::string_view code) const override;
    bool translate(Id map, const fhirpath::Coding& coding, std::string_view day,
                   std::vector<Match>& out) const override;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
    };
    template <typename T>
    using ByText = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

    struct Concept {
        std::string display;
        std::vector<std::string> parents = {};
    };
    struct System {
        const Hierarchy* hierarchy = nullptr;  ///< null: `concepts` say what stands above what
        ByText<Concept> concepts = {};
        std::vector<std::string> order = {};  ///< of their codes
        bool complete = true, ranked = true;
        bool folds = false;  ///< capital letters are as good as others
    };
    struct Member {
        std::string system, code, display;
    };
    struct Set {
        std::vector<Member> members = {};
        ByText<std::vector<std::size_t>> by_code = {};  ///< in `members`
        std::vector<std::string> systems = {};          ///< of the members, each once
        std::vector<Id> whole = {};                     ///< systems of which it has every code
        void add(Member member);
    };
    struct Map {
        std::string source_system;
        std::size_t codes = 0;
        Translate translate;
    };
    struct Named {
        std::vector<std::string> names;
        std::shared_ptr<const System> system = nullptr;
        std::shared_ptr<const Set> set = nullptr;
        std::shared_ptr<const Map> map = nullptr;
    };
    struct Tables {
        std::vector<Named> all;
        ByText<Id> by_name;
    };
    Tables tables_[3];  ///< by kind

    static Terms made();
    static Translate translation(CodeMap map);
    const Tables& of(Kind kind) const { return tables_[static_cast<std::size_t>(kind)]; }
    void add(Kind kind, Named named);
    bool sameSystem(std::string_view a, std::string_view b) const;
    bool folds(std::string_view system) const;
    bool reaches(const System& system, std::string_view upper, std::string_view code, std::size_t& steps) const;
    friend struct ResourceReader;
};

}  // namespace porta::mapping
