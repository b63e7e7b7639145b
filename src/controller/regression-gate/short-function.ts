/** `com.example.shop.Codec$Fast.encode(Order)` → `Codec$Fast.encode`: what fits a column. Pure. */
export function shortFunction(name: string): string {
  const open = name.indexOf('(');
  const parts = (open > 0 ? name.slice(0, open) : name).split('.');
  return parts.slice(-2).join('.').slice(0, 256);
}
