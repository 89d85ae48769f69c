import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.LenientErrorHandler;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.util.BundleUtil;
import ca.uhn.fhir.util.FhirTerser;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseBundle;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/**
 * HL7's own validator as a filter: a request a line in, an answer a line out, as JSON, until the input ends.
 *
 * <p>A request is VERSION, ACTION and PATH with tabs between; VERSION is R4 or R5. "define" takes the
 * definitions of a file (a resource, or a Bundle of them) into account for all that follows; "check" answers
 * with the issues of a file; "convert" with its text in XML where it is JSON, in JSON where it is XML. Nothing is fetched from anywhere: what is not defined here is unknown, and an
 * unknown extension is an error.
 */
public final class FhirCheck {
    private static final Gson GSON = new Gson();

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // whatever a library prints is no answer
        Map<String, FhirCheck> checks = new HashMap<>();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            String[] words = line.split("\t", 3);
            FhirCheck check = checks.computeIfAbsent(words[0], FhirCheck::new);
            answers.println(GSON.toJson(check.answer(words[1], Files.readString(Path.of(words[2])))));
        }
    }

    /** What the validator itself breaks on is an answer too: one fatal issue. */
    private List<Map<String, String>> answer(String action, String text) {
        try {
            return switch (action) {
                case "define" -> define(text);
                case "convert" -> List.of(Map.of("text", convert(text)));
                default -> check(text);
            };
        } catch (RuntimeException broken) {
            broken.printStackTrace();
            return List.of(
                Map.of("severity", "fatal", "id", "broken", "where", "", "message", broken.toString()));
        }
    }

    private final FhirContext context;
    private final Definitions own;
    private final ValidationSupportChain chain;
    private final FhirInstanceValidator instances;
    private final FhirValidator validator;

    private FhirCheck(String version) {
        context = version.equals("R5") ? FhirContext.forR5() : FhirContext.forR4();
        context.getParserOptions().setStripVersionsFromReferences(false);
        context.getParserOptions().setOverrideResourceIdWithBundleEntryFullUrl(false);
        own = new Definitions(context);
        chain = new ValidationSupportChain(
            own,
            new DefaultProfileValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            new SnapshotGeneratingValidationSupport(context));
        instances = new FhirInstanceValidator(chain);
        instances.setAnyExtensionsAllowed(false);
        instances.setErrorForUnknownProfiles(true);
        instances.setBestPracticeWarningLevel(BestPracticeWarningLevel.Warning);
        validator = context.newValidator().registerValidatorModule(instances);
    }

    private List<Map<String, String>> define(String text) {
        read(text).forEach(own::addResource);
        chain.invalidateCaches();
        instances.invalidateCaches();
        return List.of();
    }

    private String convert(String text) {
        boolean isXml = text.stripLeading().startsWith("<");
        IParser from = isXml ? context.newXmlParser() : context.newJsonParser();
        IParser to = isXml ? context.newJsonParser() : context.newXmlParser();
        from.setParserErrorHandler(new StrictErrorHandler());
        return to.encodeResourceToString(from.parseResource(text));
    }

    /** The validator holds a MeasureReport against its Measure, which stands in the same Bundle. */
    private void defineMeasures(String text) {
        if (text.contains("\"resourceType\":\"Measure\"")) {
            read(text).stream().filter(one -> one.fhirType().equals("Measure")).forEach(own::addResource);
            chain.invalidateCaches();
        }
    }

    private List<IBaseResource> read(String text) {
        IParser parser = context.newJsonParser();
        parser.setParserErrorHandler(new LenientErrorHandler().disableAllErrors()); // `check` says what is wrong
        IBaseResource given = parser.parseResource(text);
        return given instanceof IBaseBundle bundle
            ? BundleUtil.toListOfResources(context, bundle)
            : List.of(given);
    }

    private List<Map<String, String>> check(String text) {
        defineMeasures(text);
        List<Map<String, String>> issues = new ArrayList<>();
        for (SingleValidationMessage message : validator.validateWithResult(text).getMessages()) {
            Map<String, String> issue = new HashMap<>();
            issue.put("severity", message.getSeverity().getCode());
            issue.put("id", String.valueOf(message.getMessageId()));
            issue.put("where", String.valueOf(message.getLocationString()));
            issue.put("message", message.getMessage());
            issues.add(issue);
        }
        return issues;
    }

    /** What was defined here: as HAPI's own, and Measures besides, which HAPI keeps none of. */
    private static final class Definitions extends PrePopulatedValidationSupport {
        private final Map<String, IBaseResource> measures = new HashMap<>();

        private Definitions(FhirContext context) {
            super(context);
        }

        @Override
        public void addResource(IBaseResource resource) {
            if (resource.fhirType().equals("Measure")) {
                FhirTerser terser = getFhirContext().newTerser();
                String version = terser.getSinglePrimitiveValueOrNull(resource, "version");
                measures.put(terser.getSinglePrimitiveValueOrNull(resource, "url") + "|" + version, resource);
            } else {
                super.addResource(resource);
            }
        }

        @Override
        @SuppressWarnings("unchecked")
        public <T extends IBaseResource> T fetchResource(Class<T> kind, String canonical) {
            boolean isMeasure = kind != null && kind.getSimpleName().equals("Measure");
            return isMeasure ? (T) measures.get(canonical) : super.fetchResource(kind, canonical);
        }
    }
}
