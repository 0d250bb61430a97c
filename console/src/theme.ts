// Dark or light: as the system has it, unless another choice was made here. A script of its own, before the page is painted, so that
// it never flashes in the other one.

export type Theme = "system" | "light" | "dark";

const storedUnder = "concord.theme";

export function chosenTheme(): Theme {
  const stored = localStorage.getItem(storedUnder);
  return stored === "light" || stored === "dark" ? stored : "system";
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(storedUnder, theme);
  applyTheme(theme);
}
