/** Whether text is a well-formed XML document of elements, attributes and text: enough for the pictures. */
export function isWellFormed(text: string): boolean {
  const open: string[] = [];
  let roots = 0;
  const attribute = String.raw`\s+[\w:-]+="[^"<&]*"`;
  const rest = text.replaceAll(
    new RegExp(`<(/?)(\\w+)((?:${attribute})*)\\s*(/?)>`, 'g'),
    (_, end, name, _all, empty) => {
      if (end) return open.pop() === name ? '' : '<';
      if (open.length === 0) roots++;
      if (!empty) open.push(name);
      return '';
    },
  );
  return roots === 1 && open.length === 0 && !/[<]|&(?!amp;|lt;|gt;|quot;)/.test(rest);
}
