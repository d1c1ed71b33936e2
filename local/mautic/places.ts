/** The allowed values of country, state, time zone and locale fields. Countries and states are names. */

const regions = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });
const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

const countries = new Set(
  letters.flatMap((first) => letters.flatMap((second) => regions.of(first + second) ?? [])),
);

/** Mautic lists the states of some twenty countries; these four groups stand for them. */
const states = new Set(
  `Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|
Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|
Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|
New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode Island|
South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|West Virginia|
Wisconsin|Wyoming|Baden-Württemberg|Bayern|Berlin|Brandenburg|Bremen|Hamburg|Hessen|
Mecklenburg-Vorpommern|Niedersachsen|Nordrhein-Westfalen|Rheinland-Pfalz|Saarland|Sachsen|
Sachsen-Anhalt|Schleswig-Holstein|Thüringen|Burgenland|Kärnten|Niederösterreich|
Oberösterreich|Salzburg|Steiermark|Tirol|Vorarlberg|Wien|Aargau|Basel-Stadt|Bern|Zürich`
    .split("|").map((name) => name.trim()),
);

const timezones = new Set(["UTC", ...Intl.supportedValuesOf("timeZone")]);

export function isAllowedPlace(
  type: "country" | "region" | "timezone" | "locale",
  value: string,
): boolean {
  switch (type) {
    case "country":
      return countries.has(value);
    case "region":
      return states.has(value);
    case "timezone":
      return timezones.has(value);
    case "locale":
      return /^[a-z]{2,3}(_[A-Z][a-z]{3})?(_[A-Z]{2})?$/.test(value);
  }
}
