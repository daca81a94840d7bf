import "../../bench/load.ts";
