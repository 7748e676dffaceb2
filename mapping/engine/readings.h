#pragma once
/// What an expression of a mapping reads, its named expressions opened. Private to mapping/engine.
#include <map>

#include "mapping/engine/compiled.h"

namespace porta::mapping {

struct Reading {
    std::string path;        ///< an expression on its own: `PID.f5.c7`, `$this`, `%objectTime`
    bool from_root = false;  ///< on the whole record; else on the context of the expression
    fhirpath::Read::Use use = fhirpath::Read::value;
};

/// Remembers what it has found out. Owner: the program outlives it.
class Readings {
public:
    explicit Readings(const Program::Impl& program) : program_(program) {}
    const std::vector<Reading>& of(const fhirpath::Expression& e);

private:
    void open(const fhirpath::Read& read, std::vector<Reading>& out);

    const Program::Impl& program_;
    std::map<const fhirpath::Expression*, std::vector<Reading>> known_;
};

}  // namespace porta::mapping
