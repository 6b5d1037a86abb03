// What a script says, in the language of the page. The English is the key; a page of another language
// loads the rest as a script before its modules.

const { words = {} } = globalThis;
const rules = new Intl.PluralRules(document.documentElement.lang || "en");

/** @param {string} text @param {Object<string, string|number>} values of "%(name)s" */
const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? whole);

/**
 * @param {string} english with "%(name)s" where a value goes
 * @param {Object<string, string|number>} [values]
 * @returns {string} the same in the language of the page
 */
export function translate(english, values = {}) {
  return fill(words[english] ?? english, values);
}

/**
 * @param {string} one in English, for a single thing
 * @param {string} more in English, for any other number
 * @param {number} number also the value of "%(num)s"
 * @param {Object<string, string|number>} [values]
 * @returns {string} the one that the number takes in the language of the page
 */
export function plural(one, more, number, values = {}) {
  const [single, other] = words[one] ?? [one, more];
  return fill(rules.select(number) === "one" ? single : other, { num: number, ...values });
}
