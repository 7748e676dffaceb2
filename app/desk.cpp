#include "app/desk.h"

#include "app/context.h"
#include "pipeline/gateway.h"
#include "pipeline/intake.h"
#include "server/http_server.h"

namespace porta::app {

std::string factId(const Json& fact) { return "d-" + hex(sha256(canonical(fact))).substr(0, 16); }

Result<void> enterFact(const config::Settings& settings, const Json& fact) {
    const std::string label = "entered/" + fact.text("fact"), line = canonical(fact) + "\n";
    if (settings.scaledOut()) {
        auto world = pipeline::openWorld(settings);
        if (!world) return world.error();
        auto intake = pipeline::Intake::open(settings, std::move(*world));
        if (!intake) return intake.error();
        auto delivered = (*intake)->deliver(kDesk, label, line, false);
        return delivered ? Result<void>{} : delivered.error();
    }
    auto owner = server::postLocal(ownerSocket(settings), "/sources/" + std::string(kDesk) + "/records", line);
    if (owner || owner.error().rule != "owner.absent") return owner ? Result<void>{} : owner.error();
    auto gateway = pipeline::Gateway::open(settings);
    if (!gateway) return gateway.error();
    return (*gateway)->ingestBytes(kDesk, label, line, {});
}

std::vector<identity::Fact> pairFacts(pipeline::Reader& reader) {
    std::vector<identity::Fact> out;
    auto operations = reader.facts();
    for (const auto& record : schemas::fold(operations, {})) {
        if (!record.live) continue;
        const auto& op = record.newest->op;
        identity::Fact f;
        f.id = record.key.local_id;
        f.raw = record.newest->raw;
        f.instant = op.version.parts.empty() ? 0 : op.version.parts[0];
        std::string kind;
        for (const schemas::Leaf& leaf : op.leaves)
            for (const auto& [path, text] :
                 std::initializer_list<std::pair<const char*, std::string*>>{{"kind", &kind},
                                                                             {"a", &f.a},
                                                                             {"b", &f.b},
                                                                             {"by", &f.by},
                                                                             {"second", &f.second},
                                                                             {"reason", &f.reason},
                                                                             {"at", &f.at},
                                                                             {"evidence", &f.evidence}})
                if (leaf.path == path) *text = leaf.value;
        if (kind == "same") f.kind = identity::FactKind::same;
        else if (kind == "different") f.kind = identity::FactKind::different;
        else if (kind == "withdraw") f.kind = identity::FactKind::withdraw;
        else continue;
        out.push_back(std::move(f));
    }
    return out;
}

}  // namespace porta::app
