import type { Static } from "typebox";
export type Planted = Static<never>;
