import "../payments/domain.ts";
import "../../movements/pipeline.ts";
