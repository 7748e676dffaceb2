#pragma once
/// The compiled form: a flat vector of nodes that name their operands by index. Private to this folder.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhirpath/expression.h"

namespace re2 {
class RE2;
}

namespace porta::fhirpath {

enum class Op : std::uint8_t {
    literal,
    empty,
    self,
    index,
    total,
    variable,  // leaves
    member,
    at,
    call,
    is,
    as,
    negate,
    plus,
    add,
    subtract,
    multiply,
    divide,
    div,
    mod,
    concat,
    equal,
    not_equal,
    equivalent,
    not_equivalent,
    less,
    less_equal,
    greater,
    greater_equal,
    in,
    contains,
    logic_and,
    logic_or,
    logic_xor,
    implies,
    unite,
};

enum class Fn : std::uint8_t {
    exists,
    empty,
    not_,
    all,
    all_true,
    any_true,
    all_false,
    any_false,
    where,
    select,
    repeat,
    of_type,
    is,
    as,
    first,
    last,
    tail,
    skip,
    take,
    single,
    distinct,
    is_distinct,
    count,
    unite,
    combine,
    intersect,
    exclude,
    subset_of,
    superset_of,
    iif,
    to_boolean,
    to_integer,
    to_decimal,
    to_string,
    to_date,
    to_date_time,
    to_time,
    to_quantity,
    can_boolean,
    can_integer,
    can_decimal,
    can_string,
    can_date,
    can_date_time,
    can_time,
    can_quantity,
    substring,
    starts_with,
    ends_with,
    contains,
    index_of,
    last_index_of,
    upper,
    lower,
    trim,
    split,
    join,
    replace,
    matches,
    matches_full,
    replace_matches,
    length,
    to_chars,
    escape,
    unescape,
    children,
    descendants,
    trace,
    abs,
    ceiling,
    floor,
    round,
    truncate,
    sqrt,
    power,
    ln,
    log,
    exp,
    aggregate,
    extension,
    has_value,
    get_value,
    conforms_to,
    low_boundary,
    high_boundary,
    comparable,
    define_variable,
    sort,
    coalesce,
    repeat_all,
    sum,
    min,
    max,
    avg,
    to_long,
    can_long,
    encode,
    decode,
    precision,
    year_of,
    month_of,
    day_of,
    hour_of,
    minute_of,
    second_of,
    millisecond_of,
    timezone_offset_of,
    date_of,
    time_of,
    duration,
    difference,
    pathname,
    type,
    resolve,
    slice,
    element_definition,
    check_modifiers,
    html_checks,
    member_of,
    subsumes,
    subsumed_by,
    validate_vs,
    validate_cs,
    translate,
    expand,
    lookup,
    has_template_id,
    resource_key,
    reference_key,
    v2_parts,
    v2_simple,
    v2_group,
    preceding,
    now,
    today,
    time_of_day,
    hl7_date,
    pattern,
    nfc,
    normalize_space,
};

inline constexpr std::uint32_t kNone = ~std::uint32_t{0};

struct AstNode {
    Op op = Op::empty;
    Fn fn = Fn::exists;
    bool type_like = false;             ///< member: starts with a capital, may name the resource type
    bool typed = false;                 ///< call: `text` is its argument, a type's name
    bool descending = false;            ///< the key of a sort()
    std::uint32_t offset = 0;           ///< in the expression's text
    std::uint32_t focus = kNone;        ///< member, at, call: what it is applied to; else the left operand
    std::uint32_t args = 0, count = 0;  ///< into Ast::arguments
    std::string text = {};              ///< member, variable or type name
    Value value = {};                   ///< literal
    std::shared_ptr<const re2::RE2> regex = {};
    // What `compile` finds out:
    formats::Name name = std::string_view();     ///< of `text`
    std::uint32_t path = kNone;                  ///< into Ast::paths: the node is the end of one
    std::uint32_t constant = kNone;              ///< into Ast::constants: literals, joined by `|` or alone
    std::uint32_t place = kNone;                 ///< variable: where it is likely to stand
    bool nodes_only = false;                     ///< gives nodes of the tree, or nothing
    Terminology::Id table = Terminology::kNone;  ///< call: of the literal URL that it asks
};

/// One step of a path from the implicit focus.
struct Step {
    enum class Kind : std::uint8_t { self, type_or_member, member, at };
    Kind kind = Kind::member;
    formats::Name name = std::string_view();  ///< member
    std::uint32_t node = kNone;               ///< member: its node, for what a type may be
    std::uint32_t position = 0;               ///< at: which one to keep; `first()` is 0
};
using Path = std::vector<Step>;

struct Constant {
    Collection values = {};
    bool strings = true;  ///< nothing else in it: equal texts are equal values
};

/// Owner: everything that its nodes view stands in `texts`, or in the nodes themselves, which do not move after `compile`.
struct Ast {
    std::string text;
    std::vector<AstNode> nodes;
    std::vector<std::uint32_t> arguments;
    std::uint32_t root = kNone;
    Options options = {};
    const Model* model = nullptr;
    Arena texts = {};  ///< of literals
    std::vector<Path> paths = {};
    std::vector<Constant> constants = {};
    std::uint32_t arg(const AstNode& n, std::uint32_t i) const { return arguments[n.args + i]; }
};

/// What a call gives, as far as it can be said without data: items of its input, one of them, what its arguments give, both,
/// or values of a kind; `parts` have members.
enum class Gives : std::uint8_t { any, focus, item, argument, both, boolean, number, text, date, instant, parts };

struct FunctionInfo {
    std::string_view name;
    Fn fn;
    std::uint8_t least, most;
    bool lambda;  ///< the arguments are evaluated per item
    Gives gives = Gives::any;
    bool ballot = false;  ///< of the 3.0 ballot only
};
inline constexpr std::uint8_t kMany = 64;  ///< arguments
const FunctionInfo* findFunction(std::string_view name);

/// Whether it is a function of %terminologies, and not of a code.
bool asksService(const Ast& ast, const AstNode& call);
/// Of a call whose first argument names a table: its kind.
std::optional<Terminology::Kind> tableKind(const Ast& ast, const AstNode& call);

/// Errors: misconfigured with offset.
Result<Ast> parse(std::string_view text, const Options& options);
/// Marks what can be answered without walking the tree: paths of names and positions, constants, places of variables.
void prepare(Ast& ast, const std::vector<std::string>& variables);

/// Lists of the HL7 v2 object model (FHIRPath, appendix "Use of FHIRPath on HL7 Version 2 messages").
inline bool isV2List(std::string_view name) {
    return name == "segment" || name == "field" || name == "element" || name == "component" || name == "subcomponent";
}

struct Expression::Impl {
    Ast ast;
    const Path* path = nullptr;  ///< all that it is, when nothing has to be checked before
};

}  // namespace porta::fhirpath
