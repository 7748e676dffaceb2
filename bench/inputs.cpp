#include "bench/inputs.h"

namespace porta::bench {

namespace {

// An admission of 0.2 kB, the size of the messages that a ward sends most.
const char kAdmission[] =
    "MSH|^~\\&|WARD|HOSP|PORTA|TOWN|20240301080000||ADT^A01|C1|P|2.5\r"
    "EVN|A01|20240301080000\r"
    "PID|1||H1^^^HOSP^MR||Zefirelli^Ada||19550612|F|||Via Uno^^Nord\r"
    "PV1|1|I|W1^R2^B3||||||||||||||||V1|||||||||||||||||||||||||20240301080000\r";

/// The same with what large hospitals add: relatives, observations, diagnoses, insurance; 8.5 kB.
std::string longAdmission() {
    std::string message = kAdmission;
    for (int n = 1; message.size() < 8500; ++n) {
        const std::string i = std::to_string(n);
        message += "NK1|" + i + "|Zefirelli^Bruno^^^^^L|SPO^spouse^HL70063|Via Uno " + i +
                   "^^Nord^^70010^ITA|^PRN^PH^^39^080^555000" + i + "||EC\r";
        message += "OBX|" + i + "|NM|8867-4^heart rate^LN||" + std::to_string(60 + n) +
                   "|/min^^UCUM|50-90|N|||F|||2024030108" + std::to_string(10 + n % 50) + "00||K1^Kardelli^Ivo\r";
        message += "DG1|" + i + "|I10|I10.9^hypertension, not specified^I10|essential hypertension|20240301|A\r";
        message += "IN1|" + i + "|PLAN" + i + "|INS" + i + "|Assicura Nord|Piazza Due^^Nord^^70010|||GRP" + i + "\r";
    }
    return message;
}

/// A FHIR Patient of 2.2 kB of which the mapping takes seven fields.
std::string patient() {
    std::string resource =
        R"({"resourceType":"Patient","id":"p-4711","meta":{"versionId":"3","lastUpdated":"2024-03-01T08:00:00+01:00"},)"
        R"("identifier":[{"system":"https://nord.example/mpi","value":"4711"}],"active":true,)"
        R"("name":[{"use":"official","family":"Zefirelli","given":["Ada"]}],"gender":"female","birthDate":"1955-06-12",)"
        R"("telecom":[{"system":"phone","value":"+39 080 555001","use":"home"}],)"
        R"("text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>)";
    while (resource.size() < 1700) resource += "Ada Zefirelli, nata il 12 giugno 1955, residente a Nord. ";
    resource += R"(</p></div>"},"maritalStatus":{"coding":[{"system":)"
                R"("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"Married"}]},)"
                R"("extension":[)";
    while (resource.size() < 2130) resource += R"({"url":"https://nord.example/extension","valueString":"invented"},)";
    resource.back() = ']';
    return resource + "}";
}

// Twenty columns of a register, 200 bytes a row.
const char kColumns[] =
    "id_iscrizione;codice_fiscale;cognome;nome;data_nascita;sesso;comune;indirizzo;cap;telefono;email;titolo;"
    "data_iscrizione;data_cessazione;categoria;operatore;sportello;lingua;note;aggiornato";
const char kRow[] =
    "REG-2024-004711;;Zefirelli;Ada;1955-06-12;F;Nord;Via Uno 12, interno 4;70010;+39 080 5550001;"
    "ada.zefirelli@nord.example;diploma di scuola media;2024-02-26;;D01;Ivo Kardelli;Nord 1;ita;richiamare;2024-03-01";

/// A C-CDA of 48 kB: sections with their text and entries.
std::string document() {
    std::string xml =
        R"(<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3">)"
        R"(<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/><title>Summary of an invented person</title>)"
        R"(<recordTarget><patientRole><id extension="4711" root="2.16.840.1.113883.19.5"/><patient><name><given>Ada)"
        R"(</given><family>Zefirelli</family></name><administrativeGenderCode code="F"/></patient></patientRole>)"
        R"(</recordTarget><component><structuredBody>)";
    for (int n = 1; xml.size() < 48000; ++n) {
        const std::string i = std::to_string(n);
        xml += R"(<component><section><templateId root="2.16.840.1.113883.10.20.22.2.5.1"/><code code="11450-4" )"
               R"(codeSystem="2.16.840.1.113883.6.1" displayName="problem list"/><title>Problem )" +
               i + R"(</title><text><paragraph>Hypertension &amp; headache, seen for the )" + i +
               R"(th time; told to measure twice a day and to come back.</paragraph></text><entry><observation )"
               R"(classCode="OBS" moodCode="EVN"><id root="ab1791b0-5c71-11db-b0de-0800200c9a66" extension=")" +
               i +
               R"("/><statusCode code="completed"/><effectiveTime><low value="20240301"/></effectiveTime>)"
               R"(<value code="38341003" displayName="hypertension"/></observation></entry></section></component>)";
    }
    return xml + "</structuredBody></component></ClinicalDocument>";
}

Sample readOnly(std::string name, std::string bytes, formats::Kind kind, std::size_t nodes) {
    Sample s{std::move(name), std::move(bytes)};
    s.format.kind = kind;
    s.nodes = nodes;
    return s;
}

}  // namespace

std::vector<Sample> samples(const std::string& root) {
    const std::string library = root + "/mapping/library/";
    return {
        {"adt-0.2kB", kAdmission, {}, library + "hl7v2-adt.yaml", {}, 41, 2, 18},
        {"adt-8.5kB", longAdmission(), {}, library + "hl7v2-adt.yaml", {}, 1566, 2, 18},
        {"fhir-patient-2.2kB", patient(), {}, library + "fhir-r4.yaml", {}, 43, 1, 10},
        {"csv-row-20x200B", kRow, kColumns, library + "unemployment-register.yaml", {}, 19, 2, 13},
        readOnly("ccda-48kB", document(), formats::Kind::xml, 2073),
    };
}

}  // namespace porta::bench
