"""Registers that nobody has seen: twenty invented columns each, as offices of several countries write them, with the quirks
that such files have. All people are invented. `REGISTERS` names them; `write(name, directory)` gives the file and what is
true of it."""
import random
from datetime import date, timedelta

FAMILIES = {
    "it": "Esempi Prova Campioni Modelli Inventi Fantasia Finti Provetti Bozza Saggio Forlì D'Esempio".split(),
    "de": "Muster Beispiel Fiktiv Probe Erfunden Übung Schätzle Größer Mustermann Testmann Platzhalter Entwurf".split(),
    "fr": "Exemple Modèle Inventé Essai Fictif Épreuve Maquette Ébauche Gabarit Spécimen Factice Brouillon".split(),
    "es": "Ejemplo Muestra Inventado Prueba Ficticio Peña Modelo Núñez Borrador Ensayo Patrón Plantilla".split(),
    "nl": "Voorbeeld Proef Verzonnen Schets Model Ontwerp Monster Fictie Staal Toets Beeld Maquette".split(),
    "pl": "Przykład Wzorzec Zmyślony Próbka Szkic Łata Żart Ćwiczenie Modelowy Wymyślony Testowy Świstak".split(),
}
GIVEN = {
    "it": "Ada Ugo Lia Eva Zeno Noè Iris Elio Nives Otto".split(), "de": "Jörg Käthe Uwe Ilse Bärbel Götz Heidi Kurt Änne Emil".split(),
    "fr": "Zoé Noël Éloi Aimé Inès Maël Cléa Rémi Anaïs Léo".split(), "es": "Iñaki Begoña Íñigo Nuria Óscar Lucía Raúl Inés Ángel Eva".split(),
    "nl": "Joost Femke Zoë Daan Lieke Sjoerd Anke Bram Noor Teun".split(), "pl": "Łucja Michał Zofia Bożena Jaś Ewa Światosława Ola Kuba Iga".split(),
}


class Town:
    def __init__(self, seed, language):
        self.r = random.Random(seed)
        self.families, self.given = FAMILIES[language], GIVEN[language]

    def day(self, first, last):
        return date(first, 1, 1) + timedelta(days=self.r.randrange((last - first + 1) * 365))

    def pick(self, *items):
        return self.r.choice(items)

    def some(self, share, value):
        return value if self.r.random() < share else ""

    def family(self):
        return self.r.choice(self.families)

    def name(self):
        return self.r.choice(self.given)

    def digits(self, n):
        return "".join(self.r.choice("0123456789") for _ in range(n))


def italian_jobs(t, i):
    d = "%d/%m/%Y"
    start = t.day(2015, 2023)
    cf = "".join(t.r.choice("BCDFGLMNPRST") for _ in range(6)) + f"{t.r.randrange(40, 99)}{t.pick(*'ABCDEHLMPRST')}{t.r.randrange(10, 28)}A{t.digits(3)}X"
    return [f"{100000 + i}", cf, t.family(), t.name(), t.day(1950, 2005).strftime(d), t.pick("M", "F"), t.pick("Italiana", "Rumena", "Marocchina"),
            t.pick("Esempoli", "Forlì", "Città Nuova"), f"via dell'Esempio, {i % 90}", t.digits(5), "0550" + t.digits(6), f"persona{i}@esempio.invalid",
            start.strftime(d), t.some(.3, (start + timedelta(days=200)).strftime(d)), t.pick("D01", "D02", "D03"), t.pick("impiegato", "operaio", "perché no"),
            t.pick("Soccorsi Sara", "Operai Olga"), f"{t.r.randrange(0, 30000)},{t.digits(2)}", "", t.some(.2, "note; con \"virgolette\" è così")]


def german_housing(t, i):
    d = "%d.%m.%Y"
    return [f"W-{20240000 + i}", t.family(), t.name(), t.day(1940, 2004).strftime(d), t.pick("m", "w", "d"), t.pick("deutsch", "türkisch", "polnisch"),
            f"Müsterstraße {i % 99}", t.digits(5), t.pick("Musterstadt", "Überlingen an der Probe"), "0711 " + t.digits(6), f"{t.r.randrange(1, 7)}", t.pick("ledig", "verheiratet"),
            t.day(2016, 2023).strftime(d), t.some(.4, t.day(2023, 2024).strftime(d)), t.pick("A", "B", "C"), f"{t.r.randrange(300, 900)},{t.digits(2)}",
            t.pick("ja", "nein"), t.pick("Fr. Schätzle", "Hr. Übung"), "", t.some(.1, "dringend")]


def french_benefits(t, i):
    start = t.day(2019, 2023)
    month = (start + timedelta(days=30 * (i % 4))).strftime("%Y%m%d")
    return [t.digits(7), f"P{i:07d}", t.family().upper(), t.name(), t.day(1945, 2005).strftime("%Y%m%d"), t.pick("1", "2"), t.digits(13), t.pick("RSA", "APL", "AAH"),
            start.strftime("%Y%m%d"), t.some(.3, (start + timedelta(days=365)).strftime("%Y%m%d")), month, f"{t.r.randrange(90, 900)},{t.digits(2)}", "EUR", t.pick("versé", "suspendu"),
            f"{i % 80} rue de l'Épreuve", t.digits(5), t.pick("Essai-sur-Loire", "Modèleville"), t.some(.7, "06" + t.digits(8)), t.pick("Mme Ébauche", "M. Gabarit"), t.pick("NULL", "R1")]


def spanish_school(t, i):
    return [t.digits(8) + t.pick(*"TRWAGMYFPDXBNJZS"), t.family(), t.family(), t.name(), t.day(2006, 2018).strftime("%d-%m-%Y"), t.pick("H", "M"), t.pick("española", "marroquí"), t.family() + ", " + t.name(),
            t.pick("CEIP Ejemplo", "IES Muestra"), t.pick("1º ESO", "2º ESO", "3º Primaria"), t.day(2021, 2023).strftime("%d-%m-%Y"), t.some(.1, t.day(2024, 2024).strftime("%d-%m-%Y")), t.pick("Activa", "Baja", "Traslado"),
            f"C/ Inventada {i}", "2" + t.digits(4), t.pick("Villaejemplo", "Peñaficticia"), "6" + t.digits(8), t.some(.6, f"familia{i}@ejemplo.invalid"), t.pick("S", "N"), f"{t.r.randrange(0, 10)},{t.digits(1)}"]


def dutch_care(t, i):
    start = t.day(2018, 2023)
    return [f"{9000000 + i}", t.digits(9), t.family(), t.pick("van", "de", ""), t.name(), t.day(2004, 2018).isoformat(), t.pick("M", "V"), t.pick("Jeugdhulp met verblijf", "Pleegzorg", "Gezinshuis"),
            t.pick("Instelling Voorbeeld", "Stichting Proef"), start.isoformat(), t.some(.4, (start + timedelta(days=150)).isoformat()), t.some(.4, t.pick("voltooid", "voortijdig")), t.pick("OTS", "vrijwillig"),
            t.pick("licht", "zwaar"), t.digits(4) + " AB", t.pick("Voorbeeldstad", "Proefdam"), t.pick("J. Schets", "M. Ontwerp"), f"{t.r.randrange(50, 400)}.{t.digits(2)}", "", t.pick("ja", "nee")]


def polish_benefits(t, i):
    return [t.digits(11), t.family(), t.name(), t.day(1950, 2003).strftime("%d.%m.%Y"), t.pick("K", "M"), "ul. Próbna " + str(i % 50), t.digits(2) + "-" + t.digits(3), t.pick("Łódź Przykładowa", "Wzorcowo"), "5" + t.digits(8),
            f"ŚR/{i:05d}/2024", t.pick("zasiłek", "dodatek"), t.day(2021, 2023).strftime("%d.%m.%Y"), t.some(.5, t.day(2024, 2024).strftime("%d.%m.%Y")), f"{t.r.randrange(100, 900)},{t.digits(2)}", t.pick("wypłacono", "wstrzymano"),
            t.pick("A. Ćwiczenie", "B. Żart"), "", t.pick("tak", "nie"), str(t.r.randrange(1, 6)), t.some(.1, "uwaga")]


def headless(t, i):
    return [f"{5000 + i}", t.family(), t.name(), t.day(1950, 2003).strftime("%d/%m/%y"), t.pick("M", "F"), t.digits(5), t.pick("North", "South"), t.day(2019, 2023).strftime("%d/%m/%y"), "", t.pick("open", "closed"),
            t.digits(3), "07" + t.digits(9), f"p{i}@example.invalid", "", t.digits(2), t.pick("x", "y", "z"), "", t.digits(1), "0", "1"]


def english_visits(t, i):
    return [f"V{i}", t.family() + ", " + t.name(), f"{t.r.randrange(1, 13)}/{t.r.randrange(1, 29)}/{t.r.randrange(1940, 2004)}", t.pick("Male", "Female", "Unknown"), t.pick("4" + t.digits(9)), "1 Sample Rd", t.pick("Sampleton"), t.pick("SA1 1AA"),
            "01632 " + t.digits(6), t.day(2020, 2023).strftime("%Y-%m-%d") + " 10:30:00", t.some(.5, t.day(2024, 2024).strftime("%Y-%m-%d") + " 11:00:00"), t.pick("Home visit", "Clinic"), t.pick("Podiatry", "Nursing"), t.pick("Dr Sample"),
            t.pick("Main site"), t.pick("N/A", "pain"), t.pick("Y", "N"), "", t.digits(2), " "]


HEADERS = {
    "italian_jobs": "Num. iscrizione;Codice fiscale;Cognome;Nome;Data di nascita;Sesso;Cittadinanza;Comune di residenza;Indirizzo;CAP;Telefono;E-mail;Data iscrizione;Data cessazione;Stato;Qualifica;Operatore;Reddito;;Note",
    "german_housing": "Vorgangsnummer\tNachname\tVorname\tGeb.-Datum\tGeschlecht\tStaatsangehörigkeit\tStraße\tPLZ\tOrt\tTelefon\tPersonen im Haushalt\tFamilienstand\tAntragsdatum\tWBS gültig bis\tDringlichkeit\tMiete max.\tBarrierefrei\tSachbearbeiter/in\tReserve\tReserve",
    "french_benefits": "N° allocataire|N° paiement|Nom|Prénom|Date de naissance|Sexe|NIR|Prestation|Date début|Date fin|Date paiement|Montant|Devise|Statut|Adresse|Code postal|Commune|Téléphone|Référent|Motif",
    "spanish_school": "DNI,Apellido 1,Apellido 2,Nombre,Fecha de nacimiento,Sexo,Nacionalidad,Tutor legal,Centro,Curso,Fecha matrícula,Fecha baja,Estado,Dirección,Código postal,Localidad,Teléfono,Correo electrónico,Beca,Nota media",
    "dutch_care": "Dossiernummer;BSN;Achternaam;Tussenvoegsel;Voornamen;Geboortedatum;Geslacht;Zorgvorm;Aanbieder;Begindatum;Einddatum;Reden einde;Juridisch kader;Zorgzwaarte;Postcode;Woonplaats;Gezinsvoogd;Tarief;Opmerking;Eigen bijdrage",
    "polish_benefits": "PESEL;Nazwisko;Imię;Data urodzenia;Płeć;Ulica;Kod pocztowy;Miejscowość;Telefon;Nr sprawy;Rodzaj;Data początku;Data zakończenia;Kwota;Stan;Pracownik;Uwagi;Niepełnosprawność;Osoby;Uwagi",
    "headless": "",
    "english_visits": "VisitRef,ClientName,DOB,Gender,NHS No,Address Line 1,Town,Postcode,Phone,Visit Start,Visit End,Visit Type,Service,Clinician,Site,Reason,Consent,Spare,Score,Blank",
}
MAKERS = {"italian_jobs": (italian_jobs, "it"), "german_housing": (german_housing, "de"), "french_benefits": (french_benefits, "fr"), "spanish_school": (spanish_school, "es"),
          "dutch_care": (dutch_care, "nl"), "polish_benefits": (polish_benefits, "pl"), "headless": (headless, "it"), "english_visits": (english_visits, "fr")}
# file name, encoding, delimiter, line end; what the scaffold must have understood of it.
REGISTERS = {
    "italian_jobs": ("disoccupati_20240131.csv", "windows-1252", ";", "\r\n", {"family": 2, "given": 3, "born": (4, "%d/%m/%Y"), "entity": "job_seeking", "encoding": "windows-1252", "sexes": {"male", "female"}}),
    "german_housing": ("Wohnungssuchende.txt", "utf-16", "\t", "\r\n", {"family": 1, "given": 2, "born": (3, "%d.%m.%Y"), "entity": "involvement", "encoding": "utf-16", "sexes": {"male", "female", "other"}}),
    "french_benefits": ("paiements-prestations.csv", "iso-8859-15", "|", "\n", {"family": 2, "given": 3, "born": (4, "%Y%m%d"), "entity": "involvement", "sexes": {"male", "female"}}),
    "spanish_school": ("matriculas 2024.csv", "utf-8-sig", ",", "\n", {"family": 1, "given": 3, "born": (4, "%d-%m-%Y"), "entity": "involvement", "encoding": "utf-8", "sexes": {"male", "female"}}),
    "dutch_care": ("plaatsingen.csv", "utf-8", ";", "\n", {"family": 2, "given": 4, "born": (5, "%Y-%m-%d"), "entity": "placement", "encoding": "utf-8", "sexes": {"male", "female"}}),
    "polish_benefits": ("swiadczenia.csv", "windows-1250", ";", "\r\n", {"family": 1, "given": 2, "born": (3, "%d.%m.%Y"), "entity": "involvement", "encoding": "windows-1250", "sexes": {"male", "female"}}),
    "headless": ("export.dat", "utf-8", "^", "\n", {"family": 1, "given": 2, "born": (3, "%d/%m/%y"), "entity": "involvement", "sexes": {"male", "female"}}),
    "english_visits": ("visits.csv", "utf-8", ",", "\n", {"family": 1, "given": 1, "born": (2, "%m/%d/%Y"), "entity": "encounter", "sexes": {"male", "female", "unknown"}}),
}


def write(name, directory, rows=400, seed=7):
    """The path, the rows as the file says them, and what is true of it: the columns of family name, given name and birth date."""
    file, encoding, delimiter, end, facts = REGISTERS[name]
    make, language = MAKERS[name]
    town = Town(seed, language)

    def cell(text):
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in (delimiter, '"', "\n")) else text

    lines = [HEADERS[name]] if HEADERS[name] else []
    table = [make(town, i) for i in range(rows)]
    assert all(len(row) == 20 for row in table), name
    lines += [delimiter.join(cell(c) for c in row) for row in table]
    # One row of a hundred is broken, as rows are: cut off in the middle.
    if rows >= 400:
        lines[200] = lines[200][: len(lines[200]) // 3].rsplit(delimiter, 1)[0].replace('"', "")
    path = directory / file
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path, table, facts
