#include "fhirpath/ast.h"

namespace porta::fhirpath {
namespace {

constexpr FunctionInfo kFunctions[] = {
    {"exists", Fn::exists, 0, 1, true}, {"empty", Fn::empty, 0, 0, false}, {"not", Fn::not_, 0, 0, false},
    {"all", Fn::all, 1, 1, true}, {"allTrue", Fn::all_true, 0, 0, false}, {"anyTrue", Fn::any_true, 0, 0, false},
    {"allFalse", Fn::all_false, 0, 0, false}, {"anyFalse", Fn::any_false, 0, 0, false},
    {"where", Fn::where, 1, 1, true}, {"select", Fn::select, 1, 1, true}, {"repeat", Fn::repeat, 1, 1, true},
    {"ofType", Fn::of_type, 1, 1, false}, {"is", Fn::is, 1, 1, false}, {"as", Fn::as, 1, 1, false},
    {"first", Fn::first, 0, 0, false}, {"last", Fn::last, 0, 0, false}, {"tail", Fn::tail, 0, 0, false},
    {"skip", Fn::skip, 1, 1, false}, {"take", Fn::take, 1, 1, false}, {"single", Fn::single, 0, 0, false},
    {"distinct", Fn::distinct, 0, 0, false}, {"isDistinct", Fn::is_distinct, 0, 0, false},
    {"count", Fn::count, 0, 0, false}, {"union", Fn::unite, 1, 1, false}, {"combine", Fn::combine, 1, 1, false},
    {"intersect", Fn::intersect, 1, 1, false}, {"exclude", Fn::exclude, 1, 1, false},
    {"subsetOf", Fn::subset_of, 1, 1, false}, {"supersetOf", Fn::superset_of, 1, 1, false}, {"iif", Fn::iif, 2, 3, true},
    {"toBoolean", Fn::to_boolean, 0, 0, false}, {"toInteger", Fn::to_integer, 0, 0, false},
    {"toDecimal", Fn::to_decimal, 0, 0, false}, {"toString", Fn::to_string, 0, 0, false},
    {"toDate", Fn::to_date, 0, 0, false}, {"toDateTime", Fn::to_date_time, 0, 0, false},
    {"toTime", Fn::to_time, 0, 0, false}, {"toQuantity", Fn::to_quantity, 0, 1, false},
    {"convertsToBoolean", Fn::can_boolean, 0, 0, false}, {"convertsToInteger", Fn::can_integer, 0, 0, false},
    {"convertsToDecimal", Fn::can_decimal, 0, 0, false}, {"convertsToString", Fn::can_string, 0, 0, false},
    {"convertsToDate", Fn::can_date, 0, 0, false}, {"convertsToDateTime", Fn::can_date_time, 0, 0, false},
    {"convertsToTime", Fn::can_time, 0, 0, false}, {"convertsToQuantity", Fn::can_quantity, 0, 1, false},
    {"substring", Fn::substring, 1, 2, false}, {"startsWith", Fn::starts_with, 1, 1, false},
    {"endsWith", Fn::ends_with, 1, 1, false}, {"contains", Fn::contains, 1, 1, false},
    {"indexOf", Fn::index_of, 1, 1, false}, {"lastIndexOf", Fn::last_index_of, 1, 1, false},
    {"upper", Fn::upper, 0, 0, false}, {"lower", Fn::lower, 0, 0, false}, {"trim", Fn::trim, 0, 0, false},
    {"split", Fn::split, 1, 1, false}, {"join", Fn::join, 0, 1, false}, {"replace", Fn::replace, 2, 2, false},
    {"matches", Fn::matches, 1, 1, false}, {"matchesFull", Fn::matches_full, 1, 1, false},
    {"replaceMatches", Fn::replace_matches, 2, 2, false}, {"length", Fn::length, 0, 0, false},
    {"toChars", Fn::to_chars, 0, 0, false}, {"escape", Fn::escape, 1, 1, false}, {"unescape", Fn::unescape, 1, 1, false},
    {"children", Fn::children, 0, 0, false}, {"descendants", Fn::descendants, 0, 0, false},
    {"trace", Fn::trace, 1, 2, true}, {"abs", Fn::abs, 0, 0, false}, {"ceiling", Fn::ceiling, 0, 0, false},
    {"floor", Fn::floor, 0, 0, false}, {"round", Fn::round, 0, 1, false}, {"truncate", Fn::truncate, 0, 0, false},
    {"sqrt", Fn::sqrt, 0, 0, false}, {"power", Fn::power, 1, 1, false}, {"ln", Fn::ln, 0, 0, false},
    {"log", Fn::log, 1, 1, false}, {"exp", Fn::exp, 0, 0, false}, {"aggregate", Fn::aggregate, 1, 2, true},
    {"extension", Fn::extension, 1, 1, false}, {"hasValue", Fn::has_value, 0, 0, false},
    {"getValue", Fn::get_value, 0, 0, false}, {"conformsTo", Fn::conforms_to, 1, 1, false},
    {"lowBoundary", Fn::low_boundary, 0, 1, false}, {"highBoundary", Fn::high_boundary, 0, 1, false},
    {"comparable", Fn::comparable, 1, 1, false}, {"now", Fn::now, 0, 0, false}, {"today", Fn::today, 0, 0, false},
    {"timeOfDay", Fn::time_of_day, 0, 0, false}, {"hl7Date", Fn::hl7_date, 0, 0, false},
    {"pattern", Fn::pattern, 1, 1, false}, {"nfc", Fn::nfc, 0, 0, false},
    {"normalizeSpace", Fn::normalize_space, 0, 0, false},
};

}  // namespace

const FunctionInfo* findFunction(std::string_view name) {
    for (const auto& f : kFunctions)
        if (f.name == name) return &f;
    return nullptr;
}

}  // namespace porta::fhirpath
