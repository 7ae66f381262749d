/** A model as a page. */
export { pageText, type PageParts } from "./page.js";
export { viewOfModel, type ViewRequest } from "./view-of-model.js";
