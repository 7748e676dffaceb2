#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <tuple>

namespace porta {

namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxDepth = 50;

struct Refusal {
    int line, column;
    std::string message;
    const char* rule = "yaml";
};

/// Builds our tree from events, so that aliases are refused before they can grow.
class Builder : public YAML::EventHandler {
public:
    Yaml root;
    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuseAnchor(mark, anchor);
        put(make(Yaml::Kind::null, mark));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw Refusal{mark.line + 1, mark.column + 1, "aliases are not allowed"};
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuseAnchor(mark, anchor);
        if (!tag.empty() && tag != "?" && tag != "!")
            throw Refusal{mark.line + 1, mark.column + 1, "tags are not allowed"};
        Yaml node = make(Yaml::Kind::scalar, mark);
        node.text = value;
        node.quoted = tag == "!";
        put(std::move(node));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(Yaml::Kind::sequence, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(Yaml::Kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override { close(); }

private:
    struct Level {
        Yaml node;
        bool has_key = false;
    };
    std::vector<Level> stack_;

    static std::size_t first(const Yaml& map, const std::string& key) {
        return static_cast<std::size_t>(std::find(map.keys.begin(), map.keys.end(), key) - map.keys.begin());
    }
    static Yaml make(Yaml::Kind kind, const YAML::Mark& mark) {
        Yaml node;
        node.kind = kind;
        node.line = mark.line + 1;
        node.column = mark.column + 1;
        return node;
    }
    static void refuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor) throw Refusal{mark.line + 1, mark.column + 1, "anchors are not allowed"};
    }
    void open(Yaml::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        refuseAnchor(mark, anchor);
        if (!tag.empty() && tag != "?") throw Refusal{mark.line + 1, mark.column + 1, "tags are not allowed"};
        if (stack_.size() >= kMaxDepth) throw Refusal{mark.line + 1, mark.column + 1, "nested deeper than 50"};
        stack_.push_back({make(kind, mark), false});
    }
    void close() {
        Yaml node = std::move(stack_.back().node);
        stack_.pop_back();
        put(std::move(node));
    }
    void put(Yaml node) {
        if (stack_.empty()) {
            root = std::move(node);
            return;
        }
        Level& level = stack_.back();
        if (level.node.kind == Yaml::Kind::map && !level.has_key) {
            if (node.kind != Yaml::Kind::scalar) throw Refusal{node.line, node.column, "a key must be plain text"};
            if (std::find(level.node.keys.begin(), level.node.keys.end(), node.text) != level.node.keys.end())
                throw Refusal{node.line, node.column,
                              "the key `" + node.text + "` stands twice, first in line " +
                                  std::to_string(level.node.places[first(level.node, node.text)].first) +
                                  "; remove one",
                              "duplicate-key"};
            level.node.keys.push_back(node.text);
            level.node.places.emplace_back(node.line, node.column);
            level.has_key = true;
            return;
        }
        level.node.items.push_back(std::move(node));
        level.has_key = false;
    }
};

}  // namespace

const Yaml* Yaml::find(std::string_view key) const {
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i] == key) return &items[i];
    return nullptr;
}

std::string Yaml::get(std::string_view key, std::string_view otherwise) const {
    const Yaml* node = find(key);
    return node && node->kind == Kind::scalar ? node->text : std::string(otherwise);
}

Error yamlError(const std::string& file, const Yaml& at, const std::string& message, const std::string& near) {
    Error error = fail(Errc::misconfigured,
                       file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + message +
                           (near.empty() ? "" : "; did you mean `" + near + "`?"),
                       "yaml");
    error.place = std::make_shared<const Place>(Place{file, at.line, at.column, message, near});
    return error;
}

Result<Yaml> parseYaml(std::string_view text, const std::string& file) {
    Yaml top;
    top.line = top.column = 1;
    if (text.size() > kMaxBytes) return yamlError(file, top, "larger than 1 MiB");
    std::istringstream in{std::string(text)};
    Builder builder;
    try {
        YAML::Parser parser(in);
        if (!parser.HandleNextDocument(builder)) return top;
    } catch (const Refusal& r) {
        top.line = r.line;
        top.column = r.column;
        Error error = yamlError(file, top, r.message);
        error.rule = r.rule;
        return error;
    } catch (const YAML::ParserException& e) {
        top.line = e.mark.line + 1;
        top.column = e.mark.column + 1;
        return yamlError(file, top, e.msg);
    }
    return std::move(builder.root);
}

Result<Yaml> loadYaml(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return fail(Errc::misconfigured, path + ": cannot be opened; check the path and its permissions", "yaml.open");
    std::ostringstream text;
    text << in.rdbuf();
    return parseYaml(text.str(), path);
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
    std::string best;
    std::size_t best_distance = name.size() / 2 + 2;
    for (const std::string& k : known) {
        std::vector<std::size_t> row(k.size() + 1);
        for (std::size_t j = 0; j <= k.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= name.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i;
            for (std::size_t j = 1; j <= k.size(); ++j) {
                std::size_t up = row[j];
                row[j] = std::min({up + 1, row[j - 1] + 1, diagonal + (name[i - 1] != k[j - 1])});
                diagonal = up;
            }
        }
        if (row[k.size()] < best_distance) {
            best_distance = row[k.size()];
            best = k;
        }
    }
    return best;
}

Result<void> checkKeys(const Yaml& map, const std::vector<std::string>& known, const std::string& file) {
    if (map.kind != Yaml::Kind::map) return yamlError(file, map, "a map expected");
    for (std::size_t i = 0; i < map.keys.size(); ++i) {
        if (std::find(known.begin(), known.end(), map.keys[i]) != known.end()) continue;
        Yaml at = map.items[i];
        if (i < map.places.size()) std::tie(at.line, at.column) = map.places[i];
        return YamlChecks(file).unknown(at, "key", map.keys[i], known);
    }
    return {};
}

Error YamlChecks::unknown(const Yaml& at, const std::string& what, const std::string& found,
                          const std::vector<std::string>& known) const {
    return yamlError(file_, at, "unknown " + what + " `" + found + "`", nearest(found, known));
}

Result<std::string> YamlChecks::text(const Yaml& at, const std::string& what) const {
    if (at.kind != Yaml::Kind::scalar) return error(at, what + ": plain text expected");
    return at.text;
}

Result<std::string> YamlChecks::member(const Yaml& map, const std::string& key, std::string otherwise) const {
    const Yaml* found = map.find(key);
    if (!found || found->kind == Yaml::Kind::null) return otherwise;
    return text(*found, "`" + key + "`");
}

Result<std::string> YamlChecks::choice(const Yaml& at, const std::string& what,
                                       const std::vector<std::string>& known) const {
    auto found = text(at, what);
    if (found && std::find(known.begin(), known.end(), *found) == known.end()) return unknown(at, what, *found, known);
    return found;
}

Result<std::vector<std::string>> YamlChecks::names(const Yaml& at, const std::string& what) const {
    if (at.kind != Yaml::Kind::sequence) return error(at, what + ": a list of names expected");
    std::vector<std::string> found;
    for (const Yaml& item : at.items) {
        if (item.kind != Yaml::Kind::scalar || item.text.empty()) return error(item, what + ": a name expected");
        if (std::find(found.begin(), found.end(), item.text) != found.end())
            return error(item, what + ": `" + item.text + "` stands twice");
        found.push_back(item.text);
    }
    return found;
}

}  // namespace porta
