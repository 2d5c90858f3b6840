// What one types to find rows: words, and comparisons with a column's value, all of which must hold.
//   relu  state:failed  learning_rate<0.01  "two words"  epochs>=20
const TOKEN = /(?:"([^"]*)"|([^\s"<>=!:]+))\s*(?:(<=|>=|!=|<|>|=|:)\s*(?:"([^"]*)"|(\S+)))?/g;

const TESTS = {
  "<": (value, than) => value < than, "<=": (value, than) => value <= than,
  ">": (value, than) => value > than, ">=": (value, than) => value >= than,
  "=": (value, than) => value === than, "!=": (value, than) => value !== than,
};

function compared(column, operator, wanted) {
  const than = Number(wanted), isNumber = wanted !== "" && !Number.isNaN(than);
  const words = wanted.toLowerCase();
  return (row) => {
    const value = column.value(row);
    if (value === undefined || value === null || value === "") return operator === "!=";
    if (operator === ":") return String(column.text(row)).toLowerCase().includes(words);
    if (isNumber && typeof value === "number") return TESTS[operator](value, than);
    return TESTS[operator](String(value).toLowerCase(), words);
  };
}

const anywhere = (columns, word) => (row) => columns.some((column) => String(column.text(row)).toLowerCase().includes(word));

// Returns { keeps(row), problem }: `problem` says what could not be understood, "" if all was.
export function readFilter(text, columns) {
  const tests = [];
  let problem = "";
  for (const [, quoted, bare, operator, quotedValue, value] of text.matchAll(TOKEN)) {
    const word = (quoted ?? bare).toLowerCase();
    if (!operator) {
      tests.push(anywhere(columns, word));
      continue;
    }
    const named = columns.find(({ name }) => name.toLowerCase() === word) ?? columns.find(({ title }) => title.toLowerCase() === word);
    if (named) tests.push(compared(named, operator, quotedValue ?? value));
    else problem ||= `There is no column "${quoted ?? bare}".`;
  }
  return { keeps: (row) => tests.every((test) => test(row)), problem };
}
