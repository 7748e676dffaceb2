// The view for a terminal: who it is, who is involved, what each source says, what is not shown and why; 80 columns.
#include <algorithm>

#include "views/case_view.h"

namespace porta::views {

namespace {

constexpr std::size_t kWidth = 80, kPeriod = 25;

/// Columns that a text takes: bytes that begin a character.
std::size_t columns(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width) {
    std::size_t n = columns(text);
    return n < width ? text + std::string(width - n, ' ') : text + ' ';
}

/// Words of `text` behind what stands in the line, wrapped to `indent`.
void wrap(std::string& out, std::size_t column, std::size_t indent, const std::string& text) {
    std::size_t at = 0;
    bool first = true;
    while (at < text.size()) {
        std::size_t end = std::min(text.find(' ', at), text.size());
        std::string word = text.substr(at, end - at);
        at = end + 1;
        if (word.empty()) continue;
        if (!first && column + 1 + columns(word) > kWidth) {
            out += "\n" + std::string(indent, ' ');
            column = indent;
        } else if (!first) {
            out += ' ';
            ++column;
        }
        out += word;
        column += columns(word);
        first = false;
    }
    out += '\n';
}

void join(std::string& out, const std::string& more, const char* between) {
    if (more.empty()) return;
    if (!out.empty()) out += between;
    out += more;
}

/// A value in words: coded values by display or code, objects and lists by their parts.
std::string words(const ViewNode& n) {
    if (n.kind == ViewNode::Kind::leaf)
        return n.value.isString() ? n.value.string() : n.value.isNull() ? "" : print(n.value);
    if (n.kind == ViewNode::Kind::object)
        for (const char* key : {"display", "code", "full", "name"})
            if (std::string t = n.text(key); !t.empty()) return t;
    std::string out;
    for (std::size_t i = 0; i < n.items.size(); ++i)
        if (n.keys.empty() || (n.keys[i] != "source" && n.keys[i] != "use"))
            join(out, words(n.items[i]), n.kind == ViewNode::Kind::list ? " " : ", ");
    return out;
}

std::string spoken(std::string key) {
    std::replace(key.begin(), key.end(), '_', ' ');
    return key;
}

std::string heading(const std::string& section) {
    if (section == "involved") return "Who is involved";
    if (section == "nothing") return "What is not shown, and why";
    std::string h = spoken(section);
    h[0] = static_cast<char>(h[0] - 'a' + 'A');
    return h;
}

/// `2024-02-01T02:15:00Z` as `2024-02-01 02:15`.
std::string shortened(std::string date) {
    if (date.size() > 16) date.resize(16);
    if (date.size() == 16 && date[10] == 'T') date[10] = ' ';
    return date;
}

/// Name, birth and sex in the first lines; then each list with what every source says, and conflicts where they arise.
void identity(std::string& out, const CaseView& view, const ViewNode& n) {
    std::string title;
    const ViewNode* names = n.find("names");
    if (names && !names->items.empty()) {
        const ViewNode* given = names->items[0].find("given");
        title = given ? words(*given) : "";
        join(title, names->items[0].text("family"), " ");
    }
    out += padded(title.empty() ? "(no name is stated)" : title, 60) + view.person + "\n";
    std::string born;
    join(born, n.text("birth_date").empty() ? "" : "born " + n.text("birth_date"), ", ");
    join(born, n.text("death_date").empty() ? "" : "died " + n.text("death_date"), ", ");
    join(born, n.text("sex"), ", ");
    out += padded(born, 60) + "for " + view.purpose + "\n";
    if (const ViewNode* conflicts = n.find("conflicts"))
        for (const ViewNode& c : conflicts->items) {
            out += "\n! The sources disagree on the " + spoken(c.text("field")) + "\n";
            for (const ViewNode& v : c.find("values")->items)
                out += "  " + padded(v.text("value"), kPeriod) + v.text("source") +
                       (v.text("stated").empty() ? "" : ", stated " + shortened(v.text("stated"))) + "\n";
        }
    for (std::size_t k = 0; k < n.items.size(); ++k) {
        const std::string& key = n.keys[k];
        if (n.items[k].kind != ViewNode::Kind::list || key == "conflicts" || n.items[k].items.empty()) continue;
        out += "\n" + heading(key) + "\n";
        // What several sources say alike stands once, with all of them.
        std::vector<std::pair<std::string, std::string>> said;
        for (const ViewNode& item : n.items[k].items) {
            std::string text;
            if (key == "identifiers") text = padded(item.text("type"), 8) + item.text("value");
            else if (key == "contacts") text = padded(item.text("kind"), 8) + item.text("value");
            else text = words(item);
            auto same = std::find_if(said.begin(), said.end(), [&](const auto& s) { return s.first == text; });
            if (same == said.end()) said.emplace_back(text, item.text("source"));
            else if (same->second.find(item.text("source")) == std::string::npos)
                same->second += ", " + item.text("source");
        }
        for (const auto& [text, sources] : said) out += "  " + padded(text, 50) + sources + "\n";
    }
}

void involved(std::string& out, const ViewNode& e) {
    std::string who;
    for (const char* key : {"worker", "role", "contact"}) join(who, e.text(key), ", ");
    if (const ViewNode* lead = e.find("lead"); lead && words(*lead) == "true") join(who, "leads", ", ");
    if (!e.text("last_contact").empty()) join(who, "last contact " + shortened(e.text("last_contact")), "; ");
    out += "  " + padded(e.text("agency").empty() ? e.text("source") : e.text("agency"), kPeriod + 2);
    wrap(out, kPeriod + 4, kPeriod + 4, who.empty() ? "no worker is named" : who);
}

/// Period, what it is, the rest of what is said, and by whom.
void entry(std::string& out, const ViewNode& e) {
    std::string start = shortened(e.text("start").empty() ? e.text("onset") : e.text("start")),
                end = shortened(e.text("end"));
    if (start.substr(0, 10) == end.substr(0, 10) && end.size() > 10) end = end.substr(11);
    std::string period = end.empty() ? (start.empty() ? "" : "since " + start) : start + " to " + end;
    std::string what, rest;
    for (std::size_t k = 0; k < e.items.size(); ++k) {
        const std::string& key = e.keys[k];
        if (key == "source" || key == "start" || key == "end" || key == "onset") continue;
        bool names_it = key == "kind" || key == "code" || key == "occupation" || key == "category" || key == "record";
        if (names_it) join(what, spoken(words(e.items[k])), ": ");
        else if (std::string text = words(e.items[k]); !text.empty()) join(rest, spoken(key) + " " + text, "; ");
    }
    join(what, rest, "; ");
    out += "  " + padded(period, kPeriod + 2);
    wrap(out, kPeriod + 4, kPeriod + 4, what + " [" + e.text("source") + "]");
}

void nothing(std::string& out, const ViewNode& e) {
    std::string state = e.text("state");
    std::string said = state == "no-record"          ? "has no record of this person"
                       : state == "outside-coverage" ? "does not cover this person or period"
                       : state == "silent"           ? "has been silent since"
                                                     : "is not permitted for this purpose";
    join(said, shortened(e.text("since")), " ");
    out += "  " + padded(e.text("source"), kPeriod + 2) + said + "\n";
}

void event(std::string& out, const ViewNode& e) {
    std::string what = e.text("section");
    join(what, spoken(e.text("event")), ": ");
    out += "  " + padded(shortened(e.text("date")), kPeriod + 2) + padded(what, 36) + e.text("source") + "\n";
}

}  // namespace

std::string toText(const CaseView& view) {
    std::string out, empty;
    if (const ViewNode* n = view.root.find("identity")) identity(out, view, *n);
    else out += padded("Person", 60) + view.person + "\n" + padded("", 60) + "for " + view.purpose + "\n";
    for (std::size_t i = 0; i < view.root.items.size(); ++i) {
        const std::string& section = view.root.keys[i];
        const ViewNode& n = view.root.items[i];
        if (section == "identity" || n.kind != ViewNode::Kind::list) continue;
        if (n.items.empty()) {
            join(empty, spoken(section), ", ");
            continue;
        }
        out += "\n" + heading(section) + "\n";
        for (const ViewNode& e : n.items)
            if (section == "involved") involved(out, e);
            else if (section == "nothing") nothing(out, e);
            else if (section == "timeline") event(out, e);
            else entry(out, e);
    }
    if (!empty.empty()) {
        out += "\nNothing is recorded under\n  ";
        wrap(out, 2, 2, empty);
    }
    return out;
}

}  // namespace porta::views
