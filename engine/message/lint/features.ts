/**
 * What mails should do without, since readers of large clients would miss something: content, or the layout. What only
 * adorns (round corners, shadows, animation) is left out, and so is what only Outlook on Windows lacks, except where a
 * mail falls apart without it.
 */

/** A feature, by the name of its page on caniemail.com. */
export interface Feature {
  readonly slug: string;
  /** What readers see instead. */
  readonly instead: string;
}

const COLLAPSES = 'things stand one below the other';
const MISPLACED = 'it stands elsewhere';
const NO_SPACE = 'the space is missing';
const NO_STYLE = 'the declaration is ignored';
const NOTHING = 'nothing is shown';
const NO_FORM = 'nobody can fill it in or send it';
const SHOWN = 'what was to be hidden is shown';

function all(slug: string, instead: string, names: readonly string[]): readonly (readonly [string, Feature])[] {
  return names.map((name) => [name, { slug, instead }]);
}

/** CSS properties. */
export const PROPERTIES: ReadonlyMap<string, Feature> = new Map([
  ...all('css-position', MISPLACED, ['position']),
  ...all('css-left-right-top-bottom', MISPLACED, ['left', 'right', 'top', 'bottom']),
  ...all('css-inset', MISPLACED, ['inset']),
  ...all('css-visibility', SHOWN, ['visibility']),
  ...all('css-grid-template', COLLAPSES, ['grid-template', 'grid-template-columns', 'grid-template-rows']),
  ...all('css-flex-direction', COLLAPSES, ['flex-direction']),
  ...all('css-flex-wrap', COLLAPSES, ['flex-wrap']),
  ...all('css-align-items', MISPLACED, ['align-items']),
  ...all('css-justify-content', MISPLACED, ['justify-content']),
  ...all('css-gap', NO_SPACE, ['gap', 'row-gap', 'column-gap']),
  ...all('css-column-count', 'it is one column', ['column-count', 'columns']),
  ...all('css-aspect-ratio', 'its height is another', ['aspect-ratio']),
  ...all('css-object-fit', 'the image is distorted', ['object-fit']),
  ...all('css-box-sizing', 'padding makes it wider', ['box-sizing']),
  ...all('css-transform', MISPLACED, ['transform']),
  ...all('css-writing-mode', 'the text runs the usual way', ['writing-mode']),
  ...all('css-background-clip', 'text that shows the background through is not seen', ['background-clip']),
  ...all('css-inline-size', 'its width is another', ['inline-size']),
  ...all('css-block-inline-size', 'its height is another', ['block-size']),
  ...all('css-margin-inline-block', NO_SPACE, ['margin-inline', 'margin-block']),
  ...all('css-margin-inline-start-end', NO_SPACE, ['margin-inline-start', 'margin-inline-end']),
  ...all('css-margin-block-start-end', NO_SPACE, ['margin-block-start', 'margin-block-end']),
  ...all('css-padding-inline-block', NO_SPACE, ['padding-inline', 'padding-block']),
  ...all('css-padding-inline-start-end', NO_SPACE, ['padding-inline-start', 'padding-inline-end']),
  ...all('css-padding-block-start-end', NO_SPACE, ['padding-block-start', 'padding-block-end']),
]);

/** Values of properties, as `display:grid`. */
export const VALUES: ReadonlyMap<string, Feature> = new Map([
  ...all('css-display-grid', COLLAPSES, ['display:grid', 'display:inline-grid']),
  ...all('css-display-flex', COLLAPSES, ['display:flex', 'display:inline-flex']),
]);

/** Functions within values of CSS. */
export const FUNCTIONS: ReadonlyMap<string, Feature> = new Map([
  ...all('css-unit-calc', NO_STYLE, ['calc']),
  ...all('css-function-min', NO_STYLE, ['min']),
  ...all('css-function-max', NO_STYLE, ['max']),
  ...all('css-function-clamp', NO_STYLE, ['clamp']),
  ...all('css-variables', NO_STYLE, ['var']),
  ...all('css-function-light-dark', NO_STYLE, ['light-dark']),
  ...all('css-modern-color', NO_STYLE, ['lch', 'oklch', 'lab', 'oklab']),
]);

/** Units of CSS. */
export const UNITS: ReadonlyMap<string, Feature> = new Map([
  ...all('css-unit-rem', NO_STYLE, ['rem']),
  ...all('css-unit-vmin', NO_STYLE, ['vmin']),
  ...all('css-unit-vmax', NO_STYLE, ['vmax']),
]);

/** HTML elements. */
export const ELEMENTS: ReadonlyMap<string, Feature> = new Map([
  ...all('html-video', NOTHING, ['video']),
  ...all('html-audio', NOTHING, ['audio']),
  ...all('html-svg', NOTHING, ['svg']),
  ...all('html-object', NOTHING, ['object']),
  ...all('html-dialog', SHOWN, ['dialog']),
  ...all('html-form', NO_FORM, ['form']),
  ...all('html-input-text', NO_FORM, ['input', 'textarea']),
  ...all('html-select', NO_FORM, ['select']),
  ...all('html-meter', NOTHING, ['meter']),
  ...all('html-progress', NOTHING, ['progress']),
]);

/** Attributes of HTML. */
export const ATTRIBUTES: ReadonlyMap<string, Feature> = new Map(all('html-hidden', SHOWN, ['hidden']));

/** Kinds of images, by the ending of their address; `data:` stands for images within the HTML. */
export const IMAGES: ReadonlyMap<string, Feature> = new Map([
  ...all('image-svg', NOTHING, ['svg']),
  ...all('image-base64', NOTHING, ['data:']),
  ...all('image-heif', NOTHING, ['heif', 'heic']),
  ...all('image-tiff', NOTHING, ['tif', 'tiff']),
]);

/** Styles that are fetched from elsewhere. */
export const FETCHED_STYLES = {
  link: { slug: 'html-link', instead: 'its styles are missing' },
  import: { slug: 'css-at-import', instead: 'its styles are missing' },
} as const satisfies Readonly<Record<string, Feature>>;

/** All of them. */
export const FEATURES: readonly Feature[] = [
  ...[PROPERTIES, VALUES, FUNCTIONS, UNITS, ELEMENTS, ATTRIBUTES, IMAGES].flatMap((map) => [...map.values()]),
  ...Object.values(FETCHED_STYLES),
];
