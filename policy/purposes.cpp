#include "policy/purposes.h"

#include <algorithm>
#include <set>

#include "base/yaml.h"

namespace porta::policy {
namespace {

bool has(const std::vector<std::string>& sorted, std::string_view name) {
    return std::binary_search(sorted.begin(), sorted.end(), name, std::less<>());
}

/// `key`: a list of names, or `all` where a flag is given for it. A missing list is an empty one: nothing is shown by
/// accident.
Result<std::vector<std::string>> names(const YamlChecks& checks, const Yaml& map, const std::string& key, bool* all) {
    const Yaml* list = map.find(key);
    if (!list) return std::vector<std::string>();
    if (all && list->kind == Yaml::Kind::scalar && list->text == "all") {
        *all = true;
        return std::vector<std::string>();
    }
    auto read = checks.names(*list, "`" + key + "`");
    if (read) std::sort(read->begin(), read->end());
    return read;
}

bool namesTopic(std::string_view id) {
    return id.size() <= 100 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                      c == '_' || c == '-';
           });
}

Result<Purpose> readPurpose(const std::string& id, const Yaml& node, const YamlChecks& checks) {
    if (auto ok = checks.keys(node, {"title", "legal_basis", "sections", "sources", "fields", "sealed", "recipients"});
        !ok)
        return ok.error();
    auto title = checks.member(node, "title", id), basis = checks.member(node, "legal_basis");
    if (!title) return title.error();
    if (!basis) return basis.error();
    if (basis->empty()) return checks.error(node, "purpose `" + id + "` names no legal_basis");
    Purpose purpose;
    purpose.id = id;
    purpose.title = std::move(*title);
    purpose.legal_basis = std::move(*basis);
    auto sections = names(checks, node, "sections", &purpose.all_sections);
    if (!sections) return sections.error();
    auto sources = names(checks, node, "sources", &purpose.all_sources);
    if (!sources) return sources.error();
    purpose.sections = std::move(*sections);
    purpose.sources = std::move(*sources);
    if (const Yaml* limits = node.find("fields")) {
        if (limits->kind != Yaml::Kind::map) return checks.error(*limits, "`fields` is a map of sections");
        for (std::size_t i = 0; i < limits->keys.size(); ++i) {
            const std::string& section = limits->keys[i];
            // A limit on a section that is not granted would be read as a grant.
            if (!purpose.section(section))
                return checks.error(limits->items[i], "the section `" + section + "` is not granted");
            auto read = names(checks, *limits, section, nullptr);
            if (!read) return read.error();
            purpose.fields.emplace(section, std::move(*read));
        }
    }
    if (const Yaml* sealed = node.find("sealed")) {
        auto read = checks.choice(*sealed, "`sealed`", {"true", "false"});
        if (!read) return read.error();
        purpose.sealed = *read == "true";
    }
    auto recipients = names(checks, node, "recipients", nullptr);
    if (!recipients) return recipients.error();
    if (!recipients->empty() && !namesTopic(id))
        return checks.error(node,
                            "the id of a purpose with recipients is part of a topic's name: letters, digits, "
                            "`.`, `_`, `-`");
    purpose.recipients = std::move(*recipients);
    return purpose;
}

/// Each member of the map under `key`; nothing when it is missing or has no value.
template <typename Read>
Result<void> eachMember(const YamlChecks& checks, const Yaml& root, const std::string& key, Read read) {
    const Yaml* map = root.find(key);
    if (!map || map->kind == Yaml::Kind::null) return {};
    if (map->kind != Yaml::Kind::map) return checks.error(*map, "`" + key + "` is a map");
    for (std::size_t i = 0; i < map->keys.size(); ++i)
        if (Result<void> ok = read(map->keys[i], map->items[i]); !ok) return ok;
    return {};
}

}  // namespace

bool Purpose::section(std::string_view name) const { return all_sections || has(sections, name); }
bool Purpose::source(std::string_view name) const { return all_sources || has(sources, name); }

Result<Purposes> Purposes::parse(std::string_view text, const std::string& file) {
    auto root = parseYaml(text, file);
    return root ? read(*root, file) : Result<Purposes>(root.error());
}

Result<Purposes> Purposes::load(const std::string& path) {
    auto root = loadYaml(path);
    return root ? read(*root, path) : Result<Purposes>(root.error());
}

Result<Purposes> Purposes::read(const Yaml& root, const std::string& file) {
    const YamlChecks checks(file);
    if (auto ok = checks.keys(root, {"purposes", "users"}); !ok) return ok.error();
    Purposes out;
    auto purpose = [&](const std::string& id, const Yaml& node) -> Result<void> {
        auto made = readPurpose(id, node, checks);
        if (!made) return made.error();
        out.purposes_.emplace(id, std::move(*made));
        return {};
    };
    std::vector<std::string> known;
    auto user = [&](const std::string& id, const Yaml& node) -> Result<void> {
        if (auto ok = checks.keys(node, {"purposes", "role"}); !ok) return ok.error();
        auto role = checks.member(node, "role");
        if (!role) return role.error();
        auto granted = names(checks, node, "purposes", nullptr);
        if (!granted) return granted.error();
        if (const Yaml* list = node.find("purposes"))
            for (const Yaml& item : list->items)
                if (!out.purposes_.contains(item.text)) return checks.unknown(item, "purpose", item.text, known);
        out.users_.emplace(id, User{id, std::move(*role), std::move(*granted)});
        return {};
    };
    if (auto ok = eachMember(checks, root, "purposes", purpose); !ok) return ok.error();
    for (const auto& [id, made] : out.purposes_) known.push_back(id);
    if (auto ok = eachMember(checks, root, "users", user); !ok) return ok.error();
    return out;
}

const Purpose* Purposes::purpose(std::string_view id) const {
    auto it = purposes_.find(id);
    return it == purposes_.end() ? nullptr : &it->second;
}

std::vector<Purpose> Purposes::delivered() const {
    std::vector<Purpose> out;
    for (const auto& [id, purpose] : purposes_)
        if (!purpose.recipients.empty()) out.push_back(purpose);
    return out;
}

const User* Purposes::user(std::string_view id) const {
    auto it = users_.find(id);
    return it == users_.end() ? nullptr : &it->second;
}

Decision Purposes::decide(std::string_view user_id, std::string_view purpose_id, std::string_view) const {
    const User* who = user(user_id);
    if (!who) return {false, "user.unknown", "the user is not in purposes.yaml"};
    if (!purpose(purpose_id)) return {false, "purpose.unknown", "the purpose is not in purposes.yaml"};
    if (!has(who->purposes, purpose_id))
        return {false, "purpose.not-granted", "the user may not act under this purpose"};
    return {true, "granted", "the purpose is granted to the user"};
}

std::vector<std::string> Purposes::purposeNames() const {
    std::vector<std::string> out;
    for (const auto& [id, made] : purposes_) out.push_back(id);
    return out;
}

void Purposes::limitSources(const std::vector<SourceLimit>& sources) {
    for (auto& [id, purpose] : purposes_) {
        std::vector<std::string> seen;
        bool limited = false;
        for (const SourceLimit& s : sources) {
            bool named = !s.purposes || std::find(s.purposes->begin(), s.purposes->end(), id) != s.purposes->end();
            limited = limited || !named;
            if (named && purpose.source(s.id)) seen.push_back(s.id);
        }
        if (!limited) continue;
        std::sort(seen.begin(), seen.end());
        purpose.all_sources = false;
        purpose.sources = std::move(seen);
    }
}

std::vector<std::string> hiddenSources(const Purpose& purpose, const std::vector<std::string>& all_sources) {
    std::set<std::string> hidden;
    for (const std::string& source : all_sources)
        if (!purpose.source(source)) hidden.insert(source);
    return {hidden.begin(), hidden.end()};
}

}  // namespace porta::policy
