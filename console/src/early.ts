// Runs before anything is painted.
import { applyTheme, chosenTheme } from "./theme.ts";

applyTheme(chosenTheme());
