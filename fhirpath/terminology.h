#pragma once
/// What memberOf(), subsumes() and %terminologies ask: the tables of whoever compiles an expression. What no table decides is
/// `unknown`, never `no`.
///
///     Options options;
///     options.terminology = tables;  // an implementation: mapping/terminology/terms.h
///     auto expression = Expression::compile("code.memberOf('http://example.org/vs')", options);
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace porta::fhirpath {

/// Without a system: a code alone.
struct Coding {
    std::string_view system = {}, code = {}, display = {};
};

/// Threads: any number may ask. Owner: texts that it gives live as long as it.
class Terminology {
public:
    enum class Kind : std::uint8_t { value_set, code_system, code_map };
    enum class Answer : std::uint8_t { no, yes, unknown };
    using Id = std::uint32_t;
    static constexpr Id kNone = ~Id{0};
    struct Match {
        Coding target = {};
        std::string_view equivalence = {};  ///< `equal wider narrower inexact unmatched`, of the target
    };

    virtual ~Terminology() = default;
    /// The table of that URL or name, or kNone.
    virtual Id find(Kind kind, std::string_view url) const = 0;
    virtual std::string_view url(Kind kind, Id id) const = 0;
    /// Of all tables of the kind, for messages.
    virtual std::vector<std::string> urls(Kind kind) const = 0;

    // Of a value set.
    /// The codes are of several systems, so that a code alone tells nothing.
    virtual bool mixed(Id set) const = 0;
    virtual Answer member(Id set, const Coding& coding, std::string_view& display) const = 0;
    /// False where not all of its codes are listed here.
    virtual bool expand(Id set, std::vector<Coding>& out) const = 0;

    // Of a code system.
    virtual Answer holds(Id system, std::string_view code, std::string_view& display) const = 0;
    /// The codes right above.
    virtual std::vector<std::string> parents(Id system, std::string_view code) const = 0;
    /// Whether `upper` stands anywhere above `code`.
    virtual Answer above(Id system, std::string_view upper, std::string_view code) const = 0;

    // Of a code map.
    /// Adds the targets of a code on a day (ISO; empty: those that have not ended). False where several are equally good.
    virtual bool translate(Id map, const Coding& coding, std::string_view day, std::vector<Match>& out) const = 0;
};

/// `value set`, `code system`, `code map`.
std::string_view nameOf(Terminology::Kind kind);

}  // namespace porta::fhirpath
