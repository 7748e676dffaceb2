#include "formats/detect.h"

#include <unicode/ucsdet.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "formats/charset.h"

namespace porta::formats {

namespace {

constexpr std::size_t kLooked = 1 << 20;

/// Charsets that office software of Europe writes; the first is taken where nothing tells.
constexpr std::array<std::string_view, 16> kSingleByte = {"windows-1252", "ISO-8859-1", "windows-1250", "ISO-8859-2",
                                                          "windows-1251", "ISO-8859-5", "KOI8-R",       "ISO-8859-7",
                                                          "windows-1253", "ISO-8859-9", "windows-1254", "ISO-8859-8",
                                                          "windows-1255", "ISO-8859-6", "windows-1256", "IBM866"};

bool high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || high(c); }

/// ISO-8859-15 is ISO-8859-1 with letters and the euro where that has signs; between letters a sign is none.
bool latin9(std::string_view bytes) {
    bool word = false, control = false;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto c = static_cast<unsigned char>(bytes[i]);
        control = control || (c >= 0x80 && c < 0xA0);
        if (c == 0xA6 || c == 0xA8 || c == 0xB4 || c == 0xB8 || c == 0xBC || c == 0xBD || c == 0xBE)
            word = word || (i > 0 && letter(bytes[i - 1])) || (i + 1 < bytes.size() && letter(bytes[i + 1]));
        if (c == 0xA4) word = true;
    }
    return word && !control;
}

/// Charsets of DOS and of the old Macintosh have their letters where Windows has signs or nothing: "" where few stand there.
std::string oldMachine(std::string_view bytes) {
    // é à è ì ò ù ç ü ö ä ñ â ê î ô û, as each has them.
    static constexpr std::string_view kDos = "\x82\x85\x8A\x8D\x95\x97\x87\x81\x94\x84\xA4\x83\x88\x8C\x93\x96";
    static constexpr std::string_view kMac = "\x8E\x88\x8F\x93\x98\x9D\x8D\x9F\x9A\x8A\x96\x89\x90\x94\x99\x9E";
    std::size_t dos = 0, mac = 0, all = 0;
    for (std::size_t i = 1; i < bytes.size(); ++i) {
        if (!high(bytes[i]) || !letter(bytes[i - 1])) continue;
        ++all;
        dos += kDos.find(bytes[i]) != kDos.npos;
        mac += kMac.find(bytes[i]) != kMac.npos;
    }
    if (all == 0 || std::max(dos, mac) * 10 < all * 7) return {};
    return dos >= mac ? "ibm-850" : "macintosh";
}

/// The words that hold other bytes than ASCII: digits and dates would drown what tells a language.
std::string telling(std::string_view bytes) {
    std::string out;
    for (std::size_t at = 0; at < bytes.size() && out.size() < 65536;) {
        std::size_t from = at;
        bool other = false;
        while (at < bytes.size() && letter(bytes[at])) other = high(bytes[at++]) || other;
        if (other) out.append(bytes.substr(from, at - from)).append(1, ' ');
        if (at == from) ++at;
    }
    return out;
}

std::string byStatistics(std::string_view bytes) {
    if (std::string old = oldMachine(bytes); !old.empty()) return old;
    const std::string words = telling(bytes);
    UErrorCode status = U_ZERO_ERROR;
    UCharsetDetector* detector = ucsdet_open(&status);
    std::string best(kSingleByte[0]);
    if (U_SUCCESS(status)) {
        ucsdet_setText(detector, words.data(), static_cast<int32_t>(words.size()), &status);
        int32_t count = 0;
        const UCharsetMatch** all = ucsdet_detectAll(detector, &count, &status);
        for (int32_t i = 0; U_SUCCESS(status) && i < count; ++i) {
            const std::string name = ucsdet_getName(all[i], &status);
            if (std::find(kSingleByte.begin(), kSingleByte.end(), name) == kSingleByte.end()) continue;
            best = name;
            break;
        }
    }
    ucsdet_close(detector);
    if (best == "ISO-8859-1" || best == "windows-1252") best = latin9(bytes) ? "iso-8859-15" : "windows-1252";
    std::transform(best.begin(), best.end(), best.begin(), [](unsigned char c) { return std::tolower(c); });
    return best;
}

std::string_view trimmed(std::string_view t) {
    while (!t.empty() && static_cast<unsigned char>(t.front()) <= ' ') t.remove_prefix(1);
    return t;
}

/// Cells of each of the first rows, quotes heeded.
std::vector<std::size_t> widths(std::string_view text, char delimiter) {
    std::vector<std::size_t> all;
    std::size_t cells = 1;
    bool quoted = false, start = true, empty = true;
    for (std::size_t i = 0; i < text.size() && all.size() < 2000; ++i) {
        const char c = text[i];
        if (quoted) {
            quoted = c != '"';
        } else if (c == '"' && start) {
            quoted = true;
            empty = false;
        } else if (c == '\n') {
            if (!empty) all.push_back(cells);
            cells = 1;
            empty = true;
        } else if (c == delimiter) {
            ++cells;
            empty = false;
        } else if (c != '\r') {
            empty = false;
        }
        start = c == delimiter || c == '\n' || (c == '"' && start);
    }
    if (all.empty() && !empty) all.push_back(cells);
    return all;
}

struct Widths {
    std::size_t most = 1;  ///< what most rows have
    double agree = 0;
};
Widths usual(const std::vector<std::size_t>& all) {
    std::map<std::size_t, std::size_t> count;
    for (std::size_t w : all) ++count[w];
    Widths u;
    std::size_t rows = 0;
    for (auto [w, n] : count)
        if (n > rows) {
            rows = n;
            u.most = w;
        }
    u.agree = all.empty() ? 0 : static_cast<double>(rows) / static_cast<double>(all.size());
    return u;
}

char delimiterOf(std::string_view text, double& agree) {
    char best = ',';
    double score = 0;
    agree = 1;
    for (char d : {',', ';', '\t', '|', '^', '~', '#', ':', '\x1f', '\x1e', '!', '*'}) {
        const Widths u = usual(widths(text, d));
        if (u.most < 2) continue;
        // Agreement counts most: decimal commas stand in some rows, a delimiter in all.
        const double s = u.agree * u.agree * (1 + 0.02 * static_cast<double>(std::min<std::size_t>(u.most, 100)));
        if (s <= score) continue;
        score = s;
        best = d;
        agree = u.agree;
    }
    return best;
}

bool endsWith(std::string_view name, std::string_view with) {
    return name.size() >= with.size() && name.substr(name.size() - with.size()) == with;
}

}  // namespace

std::string detectEncoding(std::string_view bytes) {
    if (bytes.substr(0, 3) == "\xEF\xBB\xBF") return "utf-8";
    if (bytes.substr(0, 2) == "\xFF\xFE" || bytes.substr(0, 2) == "\xFE\xFF") return "utf-16";
    const std::string_view look = bytes.substr(0, kLooked);
    std::size_t even = 0, odd = 0;
    for (std::size_t i = 0; i < look.size(); ++i) (i % 2 ? odd : even) += look[i] == 0;
    if (odd > look.size() / 5 && even * 8 < odd) return "utf-16le";
    if (even > look.size() / 5 && odd * 8 < even) return "utf-16be";
    std::size_t bad = invalidUtf8(look);
    // A character cut at the end of what was looked at is no mistake.
    if (bad == std::string_view::npos || (look.size() < bytes.size() && bad + 4 > look.size())) return "utf-8";
    return byStatistics(look);
}

Detected detect(std::string_view bytes, std::string_view name) {
    Detected d;
    std::string_view start = bytes;
    if (start.substr(0, 3) == "\xEF\xBB\xBF") start.remove_prefix(3);
    start = trimmed(start);
    const bool hl7 =
        start.size() > 8 && (start.substr(0, 3) == "MSH" || start.substr(0, 3) == "FHS" || start.substr(0, 3) == "BHS");
    if (hl7 || (!start.empty() && bytes[0] == '\x0b')) {
        d.settings.kind = Kind::hl7v2;
        return d;
    }
    if (!start.empty() && start[0] == '<') {
        d.settings.kind = Kind::xml;
        const std::string_view head = start.substr(0, 4000);
        d.xsd = endsWith(name, ".xsd") || head.find("www.w3.org/2001/XMLSchema\"") != std::string_view::npos;
        d.xsd = d.xsd && head.find("schema") != std::string_view::npos &&
                head.find("XMLSchema-instance") == std::string_view::npos;
        d.settings.fhir = head.find("\"http://hl7.org/fhir\"") != std::string_view::npos;
        return d;
    }
    if (!start.empty() && (start[0] == '{' || start[0] == '[')) {
        // Several objects, a line each.
        const std::size_t line = start.find('\n');
        const std::string_view first = start.substr(0, line),
                               rest = line == start.npos ? "" : trimmed(start.substr(line));
        NodeTree tree;
        Settings json;
        const bool lines = !rest.empty() && rest[0] == '{' && parse(json, first, {}, tree).has_value();
        d.settings.kind = lines || endsWith(name, ".ndjson") || endsWith(name, ".jsonl") ? Kind::ndjson : Kind::json;
        d.settings.fhir = start.substr(0, kLooked).find("\"resourceType\"") != start.npos;
        d.json_schema = d.settings.kind == Kind::json && start.find("\"$schema\"") != start.npos &&
                        (start.find("\"properties\"") != start.npos || start.find("\"$ref\"") != start.npos);
        return d;
    }
    d.settings.kind = Kind::csv;
    d.settings.encoding = detectEncoding(bytes);
    std::string_view text = bytes.substr(0, kLooked);
    std::string narrow;
    if (d.settings.encoding.rfind("utf-16", 0) == 0) {
        const bool big = d.settings.encoding == "utf-16be" || bytes.substr(0, 2) == "\xFE\xFF";
        narrow = narrowed(text, big);
        text = narrow;
    }
    std::string unix_lines;
    if (text.find('\n') == text.npos && text.find('\r') != text.npos) {
        unix_lines = text;
        std::replace(unix_lines.begin(), unix_lines.end(), '\r', '\n');
        text = unix_lines;
    }
    d.settings.delimiter = delimiterOf(text, d.columns_agree);
    return d;
}

}  // namespace porta::formats
