// Sets the theme before the first paint; a module would run after it.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem('azmon.theme');
  } catch (_) {
    // Storage may be forbidden: the system's preference is used then.
  }
  var dark = choice === '"dark"' || (choice !== '"light"' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.classList.toggle('dark', dark);
})();
