#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/canonical_json.h"
#include "base/hash.h"
#include "schemas/fold.h"

namespace porta::schemas {
namespace {

Operation op(Op kind, std::int64_t version, std::vector<std::pair<std::string, std::string>> fields = {},
             const std::string& id = "A") {
    Operation o;
    o.key = {"s", "person", id};
    o.op = kind;
    o.version = {Order::number, {version}, std::to_string(version)};
    for (auto& [path, value] : fields) {
        Leaf leaf;
        leaf.path = path;
        leaf.value = value;
        if (value == "<null>") leaf.kind = LeafKind::null;
        o.leaves.push_back(leaf);
    }
    seal(o);
    return o;
}

std::string summary(const std::vector<StoredOperation>& ops) {
    std::string out;
    for (const FoldedRecord& r : fold(ops, {})) {
        out += r.key.text() + (r.live ? " live" : " deleted");
        for (const auto& m : r.members) out += " " + m.local_id;
        for (const auto& [f, s] : r.fields) out += " " + f + "=" + s.canonical + (s.rivals.size() > 1 ? "!" : "");
        out += "\n";
    }
    return out;
}

std::vector<StoredOperation> stored(std::vector<Operation> ops) {
    std::vector<StoredOperation> out;
    for (auto& o : ops) out.push_back({std::move(o), static_cast<std::int64_t>(out.size() + 1), 1, 1});
    return out;
}

TEST(Fold, PatchSetsOnlyItsFieldsAndDeletesWhatItSaysIsNull) {
    EXPECT_EQ(summary(stored({op(Op::upsert, 1, {{"a", "x"}, {"b", "y"}}), op(Op::patch, 2, {{"a", "<null>"}})})),
              "s|person|A live A b=\"y\"\n");
}

TEST(Fold, ALaterUpsertClearsWhatItDoesNotName) {
    EXPECT_EQ(summary(stored({op(Op::upsert, 1, {{"a", "x"}}), op(Op::upsert, 2, {{"b", "y"}})})),
              "s|person|A live A b=\"y\"\n");
}

TEST(Fold, ADeleteThatArrivesFirstStillWins) {
    EXPECT_EQ(summary(stored({op(Op::delete_, 5), op(Op::upsert, 3, {{"a", "x"}})})), "s|person|A deleted A\n");
}

TEST(Fold, EqualVersionsThatDisagreeAreAConflict) {
    std::string s = summary(stored({op(Op::patch, 3, {{"a", "x"}}), op(Op::patch, 3, {{"a", "y"}})}));
    EXPECT_NE(s.find("!"), std::string::npos) << s;
}

TEST(Fold, CancelVoidsLesserOperationsOfItsClassOnly) {
    Operation discharge = op(Op::patch, 2, {{"end", "2024"}});
    discharge.cls = "discharge";
    seal(discharge);
    Operation cancel = op(Op::cancel, 3);
    cancel.cancels = "discharge";
    seal(cancel);
    EXPECT_EQ(summary(stored({cancel, op(Op::upsert, 1, {{"start", "2023"}}), discharge})),
              "s|person|A live A start=\"2023\"\n");
}

TEST(Fold, MergeJoinsAndALaterUnmergeParts) {
    Operation merge = op(Op::merge, 2, {}, "B");
    merge.into = "A";
    seal(merge);
    Operation unmerge = op(Op::unmerge, 3, {}, "B");
    unmerge.into = "A";
    seal(unmerge);
    auto a = op(Op::upsert, 1, {{"x", "1"}}), b = op(Op::upsert, 1, {{"y", "2"}}, "B");
    EXPECT_EQ(summary(stored({a, b, merge})), "s|person|A live A B x=\"1\" y=\"2\"\n");
    EXPECT_EQ(summary(stored({a, b, merge, unmerge})), "s|person|A live A x=\"1\"\ns|person|B live B y=\"2\"\n");
}

std::vector<Operation> randomHistory(std::mt19937& rnd) {
    std::vector<Operation> ops;
    for (int n = 2 + static_cast<int>(rnd() % 8); n > 0; --n) {
        auto kind = static_cast<Op>(rnd() % 6);
        std::string id(1, static_cast<char>('A' + rnd() % 3));
        Operation o = op(kind, static_cast<std::int64_t>(rnd() % 4), {}, id);
        if (kind == Op::upsert || kind == Op::patch)
            o = op(kind, o.version.parts[0],
                   {{std::string(1, static_cast<char>('a' + rnd() % 3)), std::to_string(rnd() % 3)}}, id);
        if (kind == Op::merge || kind == Op::unmerge) o.into = id == "A" ? "B" : "A";
        if (kind == Op::cancel) o.cancels = "all";
        seal(o);
        ops.push_back(o);
    }
    return ops;
}

/// Law 3: true when every shuffle, with repeats, says the same under `how`.
template <class F>
bool anyOrderSays(F how, int histories) {
    std::mt19937 rnd(7);
    for (int h = 0; h < histories; ++h) {
        auto ops = randomHistory(rnd);
        std::string first = how(stored(ops));
        for (int i = 0; i < 3; ++i) {
            auto again = ops;
            again.push_back(ops[rnd() % ops.size()]);
            std::shuffle(again.begin(), again.end(), rnd);
            if (how(stored(again)) != first) return false;
        }
    }
    return true;
}

TEST(Fold, AnyOrderAndAnyRepeatSayTheSame) { EXPECT_TRUE(anyOrderSays(summary, 400)); }

TEST(Fold, NegativeControlDecidedByArrivalIsCaught) {
    auto last_wins = [](const std::vector<StoredOperation>& ops) {
        std::string out;
        for (const auto& s : ops)
            if (!s.op.leaves.empty()) out = s.op.key.text() + s.op.leaves[0].path + s.op.leaves[0].value;
        return out;
    };
    EXPECT_FALSE(anyOrderSays(last_wins, 400));
}

TEST(Fold, AHistoryOfTenThousandIsLinear) {
    std::vector<Operation> ops;
    for (int i = 0; i < 10000; ++i) ops.push_back(op(Op::patch, i, {{"a", std::to_string(i)}}));
    EXPECT_EQ(summary(stored(std::move(ops))), "s|person|A live A a=\"9999\"\n");
}

TEST(Operations, DecodeIsTheInverseOfEncodeAndRefusesAnythingElse) {
    Operation o = op(Op::patch, 4, {{"names/0/family", "Łódź"}, {"b", "<null>"}});
    o.subjects = {{"s", "person", "Z"}};
    o.leaves[0].sources = {{3, 9, "raw"}};
    seal(o);
    std::string bytes = encode({o});
    auto back = decode(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(encode(*back), bytes);
    EXPECT_EQ((*back)[0].digest, o.digest);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(decode(std::string_view(bytes).substr(0, cut)));
    std::mt19937 rnd(1);
    for (int i = 0; i < 2000; ++i) {
        std::string broken = bytes;
        broken[rnd() % broken.size()] = static_cast<char>(rnd());
        (void)decode(broken);  // any answer, no crash
    }
}

/// The digest as DESIGN §5 words it, through a tree of JSON values.
Digest digestOf(const Operation& o, const Json& fields) {
    Json j = Json::object();
    j["key"] = o.key.text();
    j["op"] = name(o.op);
    Json version = Json::object();
    version["order"] = name(o.version.order);
    version["value"] = o.version.text;
    j["version"] = version;
    if (!o.cls.empty()) j["class"] = o.cls;
    if (!o.cancels.empty()) j["cancels"] = o.cancels;
    if (!o.into.empty()) j["into"] = o.into;
    if (!o.valid_from.empty() || !o.valid_to.empty()) {
        Json valid = Json::object();
        valid["from"] = o.valid_from;
        valid["to"] = o.valid_to;
        j["valid"] = valid;
    }
    j["fields"] = fields;
    return sha256(canonical(j));
}

/// A leaf's place in a tree, step by step.
void place(Json& at, std::string_view path, const std::string& value) {
    std::size_t slash = path.find('/');
    std::string step(path.substr(0, slash));
    Json* to = nullptr;
    if (std::isdigit(static_cast<unsigned char>(step[0])) && !at.isObject()) {
        if (!at.isArray()) at = Json::array();
        while (at.size() <= std::stoul(step)) at.push({});
        to = &at.items()[std::stoul(step)];
    } else {
        to = &at[step];
    }
    if (slash == std::string_view::npos) *to = value == "<null>" ? Json() : Json(value);
    else place(*to, path.substr(slash + 1), value);
}

// Leaves are written without a tree between where that is possible: the text is that of the tree, whatever their order.
TEST(Operations, DigestAndFieldsAreThoseOfTheTree) {
    const std::vector<std::vector<std::pair<std::string, std::string>>> cases = {
        {},
        {{"sex/code", "female"},
         {"birth_date", "1955-06-12"},
         {"names/0/given/1", "B"},
         {"names/0/given/0", "A \"x\""}},
        {{"b", "<null>"}, {"a_b", "1"}, {"a", "2"}, {"aa/c", "3"}, {"a1", "4"}},
        {{"l/2", "c"}, {"l/0", "a"}},                   // a hole
        {{"x", "1"}, {"x", "2"}},                       // twice: the last
        {{"x/y", "1"}, {"x", "2"}},                     // a leaf above another
        {{"l/00", "a"}, {"l/1", "b"}},                  // not an index as we write it
        {{"m/a", "1"}, {"m/0", "2"}},                   // a name and an index
        {{"\xC3\xA9", "1"}, {"e", "2"}, {"a-b", "3"}},  // names that are not of our schema
        {{"x", "line\nfeed \x01 \xF0\x9F\x98\x80 \\"}},
        {{"long", std::string(5000, '\n')}},
    };
    std::mt19937 rnd(3);
    for (auto fields : cases) {
        if (fields.empty())
            for (int i = 0; i < 25; ++i) fields.push_back({"list/" + std::to_string(i) + "/v", std::to_string(i)});
        for (int shuffled = 0; shuffled < 5; ++shuffled) {
            Operation o = op(Op::patch, 7, fields);
            o.cls = shuffled % 2 ? "dis|\"charge" : "";
            o.cancels = shuffled % 3 ? "all" : "";
            o.into = shuffled % 4 ? "B" : "";
            o.valid_to = shuffled > 2 ? "2024" : "";
            seal(o);
            Json tree = Json::object();
            for (const auto& [path, value] : fields) place(tree, path, value);
            EXPECT_EQ(o.digest, digestOf(o, tree)) << canonical(tree);
            std::string members;
            for (const auto& [field, text] : canonicalFields(o))
                members += (members.empty() ? "\"" : ",\"") + field + "\":" + text;
            EXPECT_EQ("{" + members + "}", canonical(tree));
            if (fields[0].first != "x" && fields[0].first != "x/y" && fields[0].first != "m/a")
                std::shuffle(fields.begin(), fields.end(), rnd);
        }
    }
}

}  // namespace
}  // namespace porta::schemas
