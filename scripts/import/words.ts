/** Numbers as people read them: 1234567 is "1,234,567". */
export function count(value: number): string {
  return value.toLocaleString('en-GB');
}
