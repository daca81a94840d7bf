import "../../app.ts";
import "../../settings.ts";
