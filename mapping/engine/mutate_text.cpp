// Expressions with one thing wrong, by their text: what does not compile is refused like any other mistake.
#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "mapping/engine/mutate.h"

namespace porta::mapping {

namespace {

bool isWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool isDigits(std::string_view s) {
    return !s.empty() && std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isdigit(c); });
}
std::string next(std::string_view digits) { return std::to_string(std::stoul(std::string(digits)) + 1); }

struct Exchange {
    std::string_view from, to;
};
/// Words of the language, as they are called or stand between operands.
constexpr std::array kWords = {
    Exchange{"exists()", "empty()"}, Exchange{"empty()", "exists()"}, Exchange{"first()", "skip(1).first()"},
    Exchange{"last()", "first()"},   Exchange{"and", "or"},           Exchange{"or", "and"},
};
constexpr std::array kSigns = {
    Exchange{"!=", "="}, Exchange{"<=", ">"}, Exchange{">=", "<"},
    Exchange{"=", "!="}, Exchange{"<", ">="}, Exchange{">", "<="},
};

class Changes {
public:
    Changes(const std::string& text, bool hl7v2) : text_(text), hl7v2_(hl7v2) {}

    std::vector<ChangedText> all() {
        for (std::size_t i = 0; i < text_.size();) {
            const char c = text_[i];
            if (c == '\'') i = literal(i);
            else if (c == '`') i = std::min(text_.find('`', i + 1), text_.size() - 1) + 1;
            else if (isWord(c)) i = word(i);
            else if (c == '[') i = index(i);
            else i = sign(i);
        }
        return std::move(out_);
    }

private:
    const std::string& text_;
    bool hl7v2_;
    std::vector<ChangedText> out_;

    void change(std::size_t at, std::size_t length, const std::string& to) {
        out_.push_back({text_.substr(0, at) + to + text_.substr(at + length),
                        "`" + text_.substr(at, length) + "` became `" + to + "`"});
    }
    std::size_t literal(std::size_t at) {
        std::size_t end = at + 1;
        while (end < text_.size() && text_[end] != '\'') end += text_[end] == '\\' ? 2 : 1;
        if (end >= text_.size()) return text_.size();
        change(at, end + 1 - at, text_.substr(at, end - at) + "~'");
        return end + 1;
    }
    std::size_t word(std::size_t at) {
        std::size_t end = at;
        while (end < text_.size() && isWord(text_[end])) ++end;
        for (const Exchange& e : kWords) {
            const std::size_t size = e.from.size();
            const bool call = e.from.back() == ')';
            if (text_.compare(at, size, e.from) != 0 || (!call && end - at != size)) continue;
            change(at, size, std::string(e.to));
            return at + size;
        }
        const std::string_view name = std::string_view(text_).substr(at, end - at);
        const bool part = name[0] == 'f' || name[0] == 'c' || name[0] == 's';
        if (hl7v2_ && part && isDigits(name.substr(1))) change(at, end - at, name[0] + next(name.substr(1)));
        return end;
    }
    std::size_t index(std::size_t at) {
        const std::size_t end = text_.find(']', at);
        if (end == std::string::npos) return text_.size();
        const std::string_view digits = std::string_view(text_).substr(at + 1, end - at - 1);
        if (!isDigits(digits)) return at + 1;
        change(at, end + 1 - at, "[" + next(digits) + "]");
        return end + 1;
    }
    std::size_t sign(std::size_t at) {
        for (const Exchange& e : kSigns)
            if (text_.compare(at, e.from.size(), e.from) == 0) {
                change(at, e.from.size(), std::string(e.to));
                return at + e.from.size();
            }
        return at + 1;
    }
};

}  // namespace

std::vector<ChangedText> changedExpressions(const std::string& text, bool hl7v2) { return Changes(text, hl7v2).all(); }

}  // namespace porta::mapping
