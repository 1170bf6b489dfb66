// CSV as RFC 4180 has it, piece by piece, so that a file of any size can be read.

const QUOTE = '"';

export class Reader {
  constructor(separator) {
    this.separator = separator;
    this.row = [];
    this.cell = "";
    this.quoted = false; // inside quotes
    this.closing = false; // behind a quote that may end them
    this.afterReturn = false;
  }

  // The rows that are whole with this piece.
  *feed(text) {
    for (const sign of text) {
      if (this.closing) {
        this.closing = false;
        if (sign === QUOTE) { this.cell += QUOTE; continue; }
        this.quoted = false;
      }
      if (this.quoted) {
        if (sign === QUOTE) this.closing = true;
        else this.cell += sign;
      } else if (sign === QUOTE && this.cell === "") {
        this.quoted = true;
      } else if (sign === this.separator) {
        this.row.push(this.cell);
        this.cell = "";
      } else if (sign === "\n" || sign === "\r") {
        if (!(sign === "\n" && this.afterReturn)) yield* this.end();
      } else {
        this.cell += sign;
      }
      this.afterReturn = sign === "\r" && !this.quoted;
    }
  }

  // The last row, where the file does not end with a line break; an empty line is none.
  *end() {
    if (this.row.length || this.cell !== "") {
      yield [...this.row, this.cell];
      this.row = [];
      this.cell = "";
    }
  }
}

// The separator of a first line: the one of comma, semicolon and tab that stands there most often.
export function separator(line) {
  const times = sign => line.split(sign).length;
  return [",", ";", "\t"].reduce((best, sign) => times(sign) > times(best) ? sign : best);
}

export function line(cells) {
  return `${cells.map(cell).join(",")}\r\n`;
}

function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll(QUOTE, QUOTE + QUOTE)}"` : text;
}
