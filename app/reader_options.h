#pragma once
/// A format as `porta read` and `porta bench read` take it from the command line, and what a reader made of a record, as text.
#include <functional>
#include <string>

#include "app/commands.h"
#include "formats/format.h"

namespace porta::app {

struct ReaderOptions {
    std::string format;

    /// Takes `args[i]`, with its value, or says that it is not of a reader: FORMAT first, then
    /// `--dialect fhir --delimiter C --encoding NAME --columns NAME:WIDTH,… --ragged --record ELEMENT --groups`.
    bool take(const Arguments& args, std::size_t& i);
    /// Errors: misconfigured, malformed; the message begins with the option.
    Result<formats::Settings> settings() const;
    /// What the name of a file says of its format.
    static void adapt(formats::Settings& settings, const std::string& file);

private:
    formats::Settings given_;
    std::string columns_;
};

/// `# unit 1 @0+120` and the node tree, each node with the offset and length of its bytes, in pieces of 64 KiB or so. Where groups
/// were asked for and the message has none that is known, a second line says so.
void describeUnit(std::size_t index, const formats::Unit& unit, const formats::NodeTree& tree, bool groups,
                  const std::function<void(std::string_view)>& lines);

}  // namespace porta::app
