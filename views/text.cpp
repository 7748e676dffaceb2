#include "views/case_view.h"

namespace porta::views {

namespace {

/// One entry in one line: its values in order, lists joined, coded values by their display or code.
std::string line(const ViewNode& n) {
    if (n.kind == ViewNode::Kind::leaf)
        return n.value.isString() ? n.value.string() : n.value.isNull() ? "" : print(n.value);
    if (n.kind == ViewNode::Kind::object) {
        for (const char* key : {"display", "code", "full"})
            if (std::string t = n.text(key); !t.empty()) return t;
    }
    std::string out;
    for (const ViewNode& i : n.items) {
        std::string t = line(i);
        if (t.empty()) continue;
        if (!out.empty()) out += n.kind == ViewNode::Kind::list ? " " : ", ";
        out += t;
    }
    return out;
}

/// Wraps at 80 columns; continuation lines are indented.
void wrap(std::string& out, const std::string& text) {
    std::size_t column = 0;
    std::string word;
    auto put = [&] {
        if (word.empty()) return;
        if (column && column + word.size() + 1 > 78) {
            out += "\n      ";
            column = 6;
        } else if (column) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        word.clear();
    };
    out += "  ";
    for (char c : text) {
        if (c == ' ') put();
        else word += c;
    }
    put();
    out += '\n';
}

std::string heading(const std::string& section) {
    if (section == "involved") return "Who is involved";
    if (section == "nothing") return "What is not shown, and why";
    std::string h = section;
    h[0] = static_cast<char>(h[0] - 'a' + 'A');
    return h;
}

}  // namespace

std::string toText(const CaseView& view) {
    std::string out = "Person " + view.person + "   (purpose: " + view.purpose + ")\n";
    for (std::size_t i = 0; i < view.root.items.size(); ++i) {
        const std::string& section = view.root.keys[i];
        const ViewNode& n = view.root.items[i];
        if (section == "identity") {
            out += "\nIdentity\n";
            for (std::size_t k = 0; k < n.items.size(); ++k) {
                if (n.keys[k] == "conflicts") continue;
                if (n.items[k].kind == ViewNode::Kind::leaf) wrap(out, n.keys[k] + ": " + line(n.items[k]));
                else
                    for (const ViewNode& item : n.items[k].items) wrap(out, n.keys[k] + ": " + line(item));
            }
            if (const ViewNode* conflicts = n.find("conflicts"))
                for (const ViewNode& c : conflicts->items) {
                    wrap(out, "! the sources disagree on " + c.text("field") + ":");
                    for (const ViewNode& v : c.find("values")->items)
                        wrap(out, "    " + v.text("value") + " says " + v.text("source") +
                                      (v.text("stated").empty() ? "" : " (" + v.text("stated") + ")"));
                }
            continue;
        }
        if (n.items.empty()) continue;
        out += "\n" + heading(section) + "\n";
        for (const ViewNode& e : n.items) {
            if (section == "nothing") {
                std::string state = e.text("state");
                std::string words = state == "no-record"          ? "has no record of this person"
                                    : state == "outside-coverage" ? "does not cover this period"
                                    : state == "silent"           ? "has been silent since"
                                                                  : "is not permitted for this purpose";
                wrap(out, e.text("source") + " " + words + (e.text("since").empty() ? "" : " " + e.text("since")));
            } else {
                std::string text;
                for (std::size_t k = 0; k < e.items.size(); ++k) {
                    std::string value = line(e.items[k]);
                    if (!value.empty()) text += (text.empty() ? "" : "; ") + e.keys[k] + " " + value;
                }
                wrap(out, text);
            }
        }
    }
    return out;
}

}  // namespace porta::views
