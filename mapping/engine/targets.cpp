#include "mapping/engine/targets.h"

#include <algorithm>

namespace porta::mapping {

namespace {

struct Field {
    std::string_view entity, path;
    Target type;
};

// By hand from docs/formats/common-schema.md; change both in one commit.
constexpr Field kFields[] = {
    {"person", "identifiers/N/value", Target::text},
    {"person", "identifiers/N/type", Target::text},
    {"person", "identifiers/N/issuer", Target::text},
    {"person", "names/N/family", Target::text},
    {"person", "names/N/given/N", Target::text},
    {"person", "names/N/birth_family", Target::text},
    {"person", "names/N/prefix", Target::text},
    {"person", "names/N/use", Target::text},
    {"person", "mother_birth_family", Target::text},
    {"person", "birth_date", Target::date},
    {"person", "death_date", Target::date},
    {"person", "sex", Target::text},
    {"person", "citizenships/N", Target::text},
    {"person", "languages/N", Target::text},
    {"person", "addresses/N/full", Target::text},
    {"person", "addresses/N/thoroughfare", Target::text},
    {"person", "addresses/N/post_code", Target::text},
    {"person", "addresses/N/post_name", Target::text},
    {"person", "addresses/N/country", Target::text},
    {"person", "addresses/N/kind", Target::text},
    {"person", "contacts/N/kind", Target::text},
    {"person", "contacts/N/value", Target::text},
    {"person", "protection/address_secret", Target::boolean},
    {"person", "protection/sealed", Target::boolean},
    {"encounter", "kind", Target::coded},
    {"encounter", "status", Target::text},
    {"encounter", "start", Target::instant},
    {"encounter", "end", Target::instant},
    {"encounter", "service", Target::text},
    {"encounter", "location", Target::text},
    {"encounter", "worker/name", Target::text},
    {"encounter", "worker/id", Target::text},
    {"encounter", "organisation", Target::text},
    {"encounter", "reason", Target::coded},
    {"condition", "code", Target::coded},
    {"condition", "status", Target::text},
    {"condition", "onset", Target::instant},
    {"condition", "abatement", Target::instant},
    {"condition", "recorded", Target::instant},
    {"job_seeking", "start", Target::instant},
    {"job_seeking", "end", Target::instant},
    {"job_seeking", "category", Target::coded},
    {"job_seeking", "scope", Target::text},
    {"job_seeking", "worker/name", Target::text},
    {"job_seeking", "worker/id", Target::text},
    {"job_seeking", "worker/phone", Target::text},
    {"employment", "employer", Target::text},
    {"employment", "occupation", Target::coded},
    {"employment", "start", Target::instant},
    {"employment", "end", Target::instant},
    {"employment", "end_reason", Target::text},
    {"placement", "kind", Target::coded},
    {"placement", "legal_status", Target::coded},
    {"placement", "need", Target::coded},
    {"placement", "provider", Target::coded},
    {"placement", "start", Target::instant},
    {"placement", "end", Target::instant},
    {"placement", "end_reason", Target::text},
    {"involvement", "worker/name", Target::text},
    {"involvement", "worker/id", Target::text},
    {"involvement", "worker/phone", Target::text},
    {"involvement", "role", Target::text},
    {"involvement", "lead", Target::boolean},
    {"involvement", "contact", Target::text},
    {"involvement", "start", Target::instant},
    {"involvement", "end", Target::instant},
    {"involvement", "last_contact", Target::instant},
    {"human_fact", "kind", Target::text},
    {"human_fact", "a", Target::text},
    {"human_fact", "b", Target::text},
    {"human_fact", "by", Target::text},
    {"human_fact", "second", Target::text},
    {"human_fact", "reason", Target::text},
    {"human_fact", "evidence", Target::text},
    {"human_fact", "object", Target::text},
    {"human_fact", "at", Target::instant},
};

bool below(std::string_view path, std::string_view prefix) {
    return prefix.empty() ||
           (path.size() > prefix.size() && path.substr(0, prefix.size()) == prefix && path[prefix.size()] == '/');
}

}  // namespace

std::vector<std::string> entities() {
    std::vector<std::string> names;
    for (const Field& f : kFields)
        if (std::find(names.begin(), names.end(), f.entity) == names.end()) names.emplace_back(f.entity);
    return names;
}

bool isEntity(std::string_view entity) {
    return std::any_of(std::begin(kFields), std::end(kFields), [&](const Field& f) { return f.entity == entity; });
}

Target targetOf(std::string_view entity, std::string_view path) {
    Target found = Target::none;
    for (const Field& f : kFields) {
        if (f.entity != entity) continue;
        if (f.path == path) return f.type;
        if (below(f.path, path)) found = f.path.substr(path.size() + 1, 1) == "N" ? Target::list : Target::group;
    }
    return found;
}

std::vector<std::string> namesBelow(std::string_view entity, std::string_view path) {
    std::vector<std::string> names;
    for (const Field& f : kFields) {
        if (f.entity != entity || !below(f.path, path)) continue;
        std::string_view rest = path.empty() ? f.path : f.path.substr(path.size() + 1);
        std::string name(rest.substr(0, rest.find('/')));
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

}  // namespace porta::mapping
