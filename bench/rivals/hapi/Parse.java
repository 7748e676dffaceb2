// HAPI HL7 v2's PipeParser on one message, warm. Line protocol of engine.py: `answers`, then `go SECONDS` as often as wanted.
import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.parser.CanonicalModelClassFactory;
import ca.uhn.hl7v2.parser.PipeParser;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

public class Parse {
    static long processorNs() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    public static void main(String[] args) throws Exception {
        String text = Files.readString(Path.of(args[0]), StandardCharsets.UTF_8);
        // At its best: one set of classes, nothing validated.
        DefaultHapiContext context = new DefaultHapiContext(new CanonicalModelClassFactory("2.5"));
        context.setValidationContext(ValidationContextFactory.noValidation());
        PipeParser parser = context.getPipeParser();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        Object kept = null;
        for (String line; (line = in.readLine()) != null; ) {
            if (line.equals("answers")) {
                Message message = parser.parse(text);
                Terser terser = new Terser(message);
                StringBuilder out = new StringBuilder();
                for (String place : new String[] {"PID-3-1", "PID-5-1", "PID-5-2", "PID-7-1", "PID-8", "PV1-19-1", "PV1-44-1"})
                    out.append(terser.get("/." + place)).append('\t');
                System.out.println(out.append(parser.encode(message).length()));
            } else {
                double seconds = Double.parseDouble(line.split(" ")[1]);
                long start = processorNs(), now = start, done = 0;
                for (; now - start < 1e9 * seconds; now = processorNs())
                    for (int i = 0; i < 50; ++i, ++done) kept = parser.parse(text);
                System.out.println((now - start) / (double) done);
            }
            System.out.flush();
        }
        if (kept == null) System.exit(1);
    }
}
