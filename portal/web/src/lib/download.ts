// Files that a page makes.

/** Saves a text as a file, under a name that any system takes. */
export function download(title: string, ending: string, type: string, content: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = `${title.replaceAll(/\W+/g, '-').toLowerCase()}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
