#include "formats/edifact_segments.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace porta::formats::edifact {

namespace {

bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool isTag(std::string_view s) {
    return s.size() == 3 && upper(s[0]) && (upper(s[1]) || digit(s[1])) && (upper(s[2]) || digit(s[2]));
}

}  // namespace

Result<Segment> Segments::next() {
    Segment s{at_, at_, bytes_.substr(at_, 3)};
    const bool ended =
        at_ + 3 < bytes_.size() && (bytes_[at_ + 3] == signs_.element || bytes_[at_ + 3] == signs_.terminator ||
                                    bytes_[at_ + 3] == signs_.component);
    if (!isTag(s.tag) || !ended)
        return fail(Errc::malformed, "a segment begins with a tag of three capital letters or digits and a separator",
                    "edifact.segment", at_, std::min<std::size_t>(3, bytes_.size() - at_));
    for (s.to = at_ + 3; s.to < bytes_.size() && bytes_[s.to] != signs_.terminator; ++s.to)
        if (signs_.releases(bytes_[s.to])) ++s.to;
    if (s.to >= bytes_.size())
        return fail(Errc::malformed, "a segment without its terminator", "edifact.terminator", at_, 3);
    at_ = s.to + 1;
    return s;
}

bool Segments::resume() {
    for (; at_ < bytes_.size(); ++at_) {
        if (signs_.releases(bytes_[at_])) ++at_;
        else if (bytes_[at_] == signs_.terminator) return ++at_, true;
    }
    return false;
}

std::string_view Segments::part(const Segment& s, std::size_t n, std::size_t c) const {
    std::size_t element = 0, component = 1, from = s.to;
    for (std::size_t i = s.from + 3; i <= s.to; ++i) {
        const bool last = i == s.to;
        if (!last && signs_.releases(bytes_[i])) {
            ++i;
            continue;
        }
        if (!last && bytes_[i] != signs_.element && bytes_[i] != signs_.component) continue;
        if (element == n && component == c) return from <= i ? bytes_.substr(from, i - from) : std::string_view();
        if (last) break;
        if (bytes_[i] == signs_.element) ++element, component = 1;
        else ++component;
        from = i + 1;
    }
    return {};
}

Error refused(const Segment& s, std::string message, const char* rule) {
    return fail(Errc::malformed, std::move(message), rule, s.from, s.to - s.from);
}

bool isCount(std::string_view text, std::size_t expected) {
    std::size_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return !text.empty() && error == std::errc() && end == text.data() + text.size() && n == expected;
}

Result<Signs> serviceString(std::string_view b, std::size_t& at) {
    Signs signs;
    if (b.substr(at, 3) == "UNA") {
        if (b.size() < at + 9)
            return fail(Errc::malformed, "UNA is followed by six service characters", "edifact.una", at, b.size() - at);
        signs = {b[at + 3], b[at + 4], b[at + 5], b[at + 6], b[at + 7], b[at + 8]};
        const std::array<char, 4> must{signs.component, signs.element, signs.terminator, signs.release};
        for (std::size_t i = 0; i < must.size(); ++i) {
            const bool text =
                std::isalnum(static_cast<unsigned char>(must[i])) || static_cast<unsigned char>(must[i]) >= 0x80;
            if (text || std::count(must.begin(), must.end(), must[i]) > 1)
                return fail(Errc::malformed,
                            "the service characters of UNA are ASCII, no letters or digits, and differ from each other",
                            "edifact.una", at + 3, 6);
        }
        at += 9;
        while (at < b.size() && isCosmetic(b[at])) ++at;
    }
    if (b.substr(at, 3) != "UNB" || b.size() < at + 9)
        return fail(Errc::malformed, "an interchange begins with UNB, or with UNA and UNB", kStructure, at,
                    std::min<std::size_t>(3, b.size() - at));
    // Level B of syntax versions 1 to 3 has separators that do not print: IS3, IS1 and IS4, and no release character.
    if (b[at + 3] == '\x1d') signs = {'\x1f', '\x1d', '.', ' ', ' ', '\x1c'};
    // UNB+UNOx:4. Before syntax version 4 nothing was repeated, and an asterisk was text.
    if (b[at + 8] != signs.component || b.substr(at + 9, 1) != "4") signs.repetition = ' ';
    return signs;
}

Result<const Charset*> charsetOf(std::string_view identifier) {
    static constexpr std::pair<std::string_view, const char*> kLevels[] = {
        {"UNOA", "us-ascii"},   {"UNOB", "us-ascii"},   {"UNOC", "iso-8859-1"}, {"UNOD", "iso-8859-2"},
        {"UNOE", "iso-8859-5"}, {"UNOF", "iso-8859-7"}, {"UNOG", "iso-8859-3"}, {"UNOH", "iso-8859-4"},
        {"UNOI", "iso-8859-6"}, {"UNOJ", "iso-8859-8"}, {"UNOK", "iso-8859-9"}, {"UNOW", "utf-8"},
        {"UNOY", "utf-8"}};
    for (const auto& [level, name] : kLevels)
        if (level == identifier) return sharedCharset(name);
    return fail(Errc::malformed, "the syntax identifier of UNB is none of UNOA to UNOK, UNOW and UNOY",
                "edifact.charset", 0, 4);
}

}  // namespace porta::formats::edifact
