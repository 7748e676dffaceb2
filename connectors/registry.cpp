#include "connectors/registry.h"

namespace porta::connectors {

using schemas::Descriptor;
using schemas::Shape;

const std::vector<Descriptor>& registry() {
    static const std::vector<Descriptor> kinds{
        {.name = "desk",
         .summary = "What people enter: decisions on identity, seals, withdrawals. Every configuration has it.",
         .shape = Shape::push},
        {.name = "files",
         .summary = "Files of a directory, one file an object, each taken once it is complete.",
         .shape = Shape::pull,
         .section = "files",
         .settings =
             {{.name = "path",
               .type = "path",
               .required = true,
               .example = "feeds/hospital",
               .sentence = "The directory, searched with its sub-directories, or one file; counts from the "
                           "configuration directory."},
              {.name = "pattern",
               .type = "text",
               .unit = "shell wildcards",
               .otherwise = "*",
               .example = "*.hl7 *.hl7.gz",
               .sentence = "Which names are taken; several patterns are separated by blanks."},
              {.name = "compression",
               .type = "auto | none",
               .otherwise = "auto",
               .example = "auto",
               .sentence =
                   "`auto` recognises gzip and ZIP by their bytes and opens them; each file of a ZIP is an object."},
              {.name = "on_done",
               .type = "keep | delete | move:DIR",
               .otherwise = "keep",
               .example = "move:done",
               .sentence = "What becomes of a file once it is durable; DIR counts from `path`."}}},
        {.name = "http",
         .summary = "Objects that a sender posts to /sources/ID/records of the port `server.port`.",
         .shape = Shape::push,
         .section = "http",
         .settings = {{.name = "token_file",
                       .type = "path",
                       .required = true,
                       .secret = true,
                       .example = "referrals.token",
                       .sentence = "The file whose first line is the bearer token of whoever may push; counts from the "
                                   "configuration directory."}}},
    };
    return kinds;
}

const Descriptor* kindNamed(const std::string& name) {
    for (const Descriptor& kind : registry())
        if (kind.name == name) return &kind;
    return nullptr;
}

Json describe(const Descriptor& kind) {
    Json j = Json::object();
    j["name"] = kind.name;
    j["summary"] = kind.summary;
    j["shape"] = name(kind.shape);
    j["section"] = kind.section;
    Json settings = Json::array();
    for (const schemas::Setting& s : kind.settings) {
        Json one = Json::object();
        one["name"] = s.name;
        one["type"] = s.type;
        one["unit"] = s.unit;
        one["default"] = s.otherwise;
        one["required"] = s.required;
        one["secret"] = s.secret;
        one["example"] = s.example;
        one["sentence"] = s.sentence;
        settings.push(std::move(one));
    }
    j["settings"] = std::move(settings);
    return j;
}

Json catalogue() {
    Json kinds = Json::array();
    for (const Descriptor& kind : registry()) kinds.push(describe(kind));
    Json j = Json::object();
    j["connectors"] = std::move(kinds);
    return j;
}

}  // namespace porta::connectors
