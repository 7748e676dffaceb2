#pragma once
/// What splitting and reading UN/EDIFACT share: service characters, segments and their parts (ISO 9735-1).
#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/charset.h"

namespace porta::formats::edifact {

inline constexpr const char* kStructure = "edifact.structure";
inline constexpr const char* kReference = "edifact.reference";
inline constexpr const char* kCount = "edifact.count";

/// The characters of the service string advice, in its order (ISO 9735-1, 7.1).
struct Signs {
    char component = ':', element = '+', decimal = '.', release = '?', repetition = '*', terminator = '\'';
    /// Release and repetition may not be in use: then they are blanks.
    bool releases(char c) const { return c == release && release != ' '; }
    bool repeats(char c) const { return c == repetition && repetition != ' '; }
    std::string text() const { return {'U', 'N', 'A', component, element, decimal, release, repetition, terminator}; }
    friend bool operator==(const Signs&, const Signs&) = default;
};

inline bool isCosmetic(char c) { return c == '\r' || c == '\n'; }

/// One segment's place, its terminator left out.
struct Segment {
    std::size_t from = 0, to = 0;
    std::string_view tag;
};

/// Segments one after the other; line ends before a tag are cosmetic.
class Segments {
public:
    Segments(std::string_view bytes, const Signs& signs, std::size_t at = 0) : bytes_(bytes), signs_(signs), at_(at) {}

    std::size_t at() const { return at_; }
    bool end() {
        while (at_ < bytes_.size() && isCosmetic(bytes_[at_])) ++at_;
        return at_ == bytes_.size();
    }
    /// Errors: malformed when there is no tag, or the terminator is missing.
    Result<Segment> next();
    /// Goes on behind the next terminator, if there is one.
    bool resume();
    /// The text of element `n` (from 1), component `c` (from 1), with releases as they stand; empty when it is not there.
    std::string_view part(const Segment& s, std::size_t n, std::size_t c = 1) const;

private:
    std::string_view bytes_;
    Signs signs_;
    std::size_t at_;
};

/// The segment's place as an error's.
Error refused(const Segment& s, std::string message, const char* rule);
/// Whether the text is this number.
bool isCount(std::string_view text, std::size_t expected);
/// The signs of the interchange that begins at `at`, which then stands at its UNB. Errors: malformed.
Result<Signs> serviceString(std::string_view b, std::size_t& at);
/// Data element 0001. Errors: malformed.
Result<const Charset*> charsetOf(std::string_view identifier);

}  // namespace porta::formats::edifact
