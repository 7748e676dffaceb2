#include "policy/purposes.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/yaml.h"

namespace porta::policy {
namespace {

bool has(const std::vector<std::string>& sorted, std::string_view name) {
    return std::binary_search(sorted.begin(), sorted.end(), name, std::less<>());
}

/// A list of names; `all` is allowed only where a flag is given for it.
Result<std::vector<std::string>> names(const Yaml& node, const std::string& file, bool* all) {
    std::vector<std::string> out;
    if (node.kind == Yaml::Kind::scalar) {
        if (!all || node.text != "all") return yamlError(file, node, "expected a list of names");
        *all = true;
        return out;
    }
    if (node.kind != Yaml::Kind::sequence) return yamlError(file, node, "expected a list of names");
    std::set<std::string> seen;
    for (const Yaml& item : node.items) {
        if (item.kind != Yaml::Kind::scalar || item.text.empty()) return yamlError(file, item, "expected a name");
        if (!seen.insert(item.text).second) return yamlError(file, item, "duplicate entry `" + item.text + "`");
    }
    out.assign(seen.begin(), seen.end());
    return out;
}

Result<Purpose> readPurpose(const std::string& id, const Yaml& node, const std::string& file) {
    if (node.kind != Yaml::Kind::map) return yamlError(file, node, "a purpose is a map");
    if (auto ok = checkKeys(node, {"title", "legal_basis", "sections", "sources", "fields", "sealed"}, file); !ok)
        return ok.error();
    Purpose purpose;
    purpose.id = id;
    purpose.title = node.get("title", id);
    purpose.legal_basis = node.get("legal_basis");
    if (purpose.legal_basis.empty()) return yamlError(file, node, "purpose `" + id + "` names no legal_basis");
    // A missing list is an empty list: nothing is shown by accident.
    if (const Yaml* list = node.find("sections")) {
        auto read = names(*list, file, &purpose.all_sections);
        if (!read) return read.error();
        purpose.sections = std::move(*read);
    }
    if (const Yaml* list = node.find("sources")) {
        auto read = names(*list, file, &purpose.all_sources);
        if (!read) return read.error();
        purpose.sources = std::move(*read);
    }
    if (const Yaml* limits = node.find("fields")) {
        if (limits->kind != Yaml::Kind::map) return yamlError(file, *limits, "`fields` is a map of sections");
        for (std::size_t i = 0; i < limits->keys.size(); ++i) {
            // A limit on a section that is not granted would be read as a grant.
            if (!purpose.section(limits->keys[i]))
                return yamlError(file, limits->items[i], "the section `" + limits->keys[i] + "` is not granted");
            auto read = names(limits->items[i], file, nullptr);
            if (!read) return read.error();
            purpose.fields.emplace(limits->keys[i], std::move(*read));
        }
    }
    if (const Yaml* sealed = node.find("sealed")) {
        if (sealed->text != "true" && sealed->text != "false")
            return yamlError(file, *sealed, "`sealed` is true or false");
        purpose.sealed = sealed->text == "true";
    }
    return purpose;
}

}  // namespace

bool Purpose::section(std::string_view name) const { return all_sections || has(sections, name); }
bool Purpose::source(std::string_view name) const { return all_sources || has(sources, name); }

Result<Purposes> Purposes::parse(std::string_view text, const std::string& file) {
    auto root = parseYaml(text, file);
    if (!root) return root.error();
    if (root->kind != Yaml::Kind::map) return yamlError(file, *root, "expected `purposes` and `users`");
    if (auto ok = checkKeys(*root, {"purposes", "users"}, file); !ok) return ok.error();
    Purposes out;
    if (const Yaml* list = root->find("purposes"); list && list->kind != Yaml::Kind::null) {
        if (list->kind != Yaml::Kind::map) return yamlError(file, *list, "`purposes` is a map");
        for (std::size_t i = 0; i < list->keys.size(); ++i) {
            auto purpose = readPurpose(list->keys[i], list->items[i], file);
            if (!purpose) return purpose.error();
            out.purposes_.emplace(list->keys[i], std::move(*purpose));
        }
    }
    if (const Yaml* list = root->find("users"); list && list->kind != Yaml::Kind::null) {
        if (list->kind != Yaml::Kind::map) return yamlError(file, *list, "`users` is a map");
        for (std::size_t i = 0; i < list->keys.size(); ++i) {
            const Yaml& node = list->items[i];
            if (node.kind != Yaml::Kind::map) return yamlError(file, node, "a user is a map");
            if (auto ok = checkKeys(node, {"purposes", "role"}, file); !ok) return ok.error();
            User user{list->keys[i], node.get("role"), {}};
            if (const Yaml* granted = node.find("purposes")) {
                auto read = names(*granted, file, nullptr);
                if (!read) return read.error();
                user.purposes = std::move(*read);
                for (const Yaml& item : granted->items)
                    if (!out.purposes_.contains(item.text))
                        return yamlError(file, item, "unknown purpose `" + item.text + "`");
            }
            out.users_.emplace(list->keys[i], std::move(user));
        }
    }
    return out;
}

Result<Purposes> Purposes::load(const std::string& path) {
    std::string text;
    std::FILE* in = std::fopen(path.c_str(), "rb");
    if (!in) return fail(Errc::misconfigured, path + ": cannot be read", "purposes.read");
    char buffer[4096];
    for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, in)) > 0;) text.append(buffer, n);
    const bool broken = std::ferror(in) != 0;
    std::fclose(in);
    if (broken) return fail(Errc::misconfigured, path + ": cannot be read", "purposes.read");
    return parse(text, path);
}

const Purpose* Purposes::purpose(std::string_view id) const {
    auto it = purposes_.find(id);
    return it == purposes_.end() ? nullptr : &it->second;
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

std::vector<std::string> hiddenSources(const Purpose& purpose, const std::vector<std::string>& all_sources) {
    std::set<std::string> hidden;
    for (const std::string& source : all_sources)
        if (!purpose.source(source)) hidden.insert(source);
    return {hidden.begin(), hidden.end()};
}

}  // namespace porta::policy
