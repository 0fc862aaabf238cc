// Addresses inside the page: "#/name/part?filters".
export interface Route {
  name: string;
  part: string;
  params: URLSearchParams;
}
export function route(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  const [name = '', part = ''] = path.split('/', 2);
  return { name, part, params: new URLSearchParams(query) };
}
export function go(hash: string): void {
  location.hash = hash;
}
