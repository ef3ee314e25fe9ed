/** Entries of a list that a person reads. */
const most = 10;

/** The first few of many, and how many more there are: a thousand refused cameras have one cause. */
export function fewOf(lines: readonly string[]): string[] {
  return lines.length > most ? [...lines.slice(0, most), `and ${lines.length - most} more like these`] : [...lines];
}

/** The first few names, and how many more there are. */
export function namesOf(names: readonly string[]): string {
  const more = names.length > most ? ` and ${names.length - most} more` : '';
  return names.slice(0, most).join(', ') + more;
}
