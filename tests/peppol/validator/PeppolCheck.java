import com.helger.commons.error.IError;
import com.helger.commons.io.resource.FileSystemResource;
import com.helger.diver.api.coord.DVRCoordinate;
import com.helger.phive.api.execute.ValidationExecutionManager;
import com.helger.phive.api.executorset.IValidationExecutorSet;
import com.helger.phive.api.executorset.ValidationExecutorSetRegistry;
import com.helger.phive.api.result.ValidationResult;
import com.helger.phive.api.result.ValidationResultList;
import com.helger.phive.en16931.EN16931Validation;
import com.helger.phive.api.validity.IValidityDeterminator;
import com.helger.phive.peppol.PeppolValidation;
import com.helger.phive.peppol.PeppolValidation2025_05;
import com.helger.phive.xml.source.IValidationSourceXML;
import com.helger.phive.xml.source.ValidationSourceXML;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Peppol's rules as a filter: KIND and PATH with a tab between a line in, findings out, until the input ends.
 *
 * <p>KIND is "invoice" or "credit-note". Each finding is a line of severity, rule, place and words with tabs
 * between; an empty line ends the answer. The schema of UBL 2.1 comes first, then the rules of EN 16931, then
 * Peppol's; what was skipped because an earlier layer failed is a finding too.
 */
public final class PeppolCheck {
    public static void main(String[] arguments) throws IOException {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // whatever a library prints is no answer
        ValidationExecutorSetRegistry<IValidationSourceXML> registry = new ValidationExecutorSetRegistry<>();
        EN16931Validation.initEN16931(registry);
        PeppolValidation.initStandard(registry);
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            String[] words = line.split("\t", 2);
            answer(answers, registry.getOfID(rules(words[0])), words[1]);
            answers.println();
        }
    }

    private static DVRCoordinate rules(String kind) {
        return kind.equals("invoice")
            ? PeppolValidation2025_05.VID_OPENPEPPOL_INVOICE_UBL_V3
            : PeppolValidation2025_05.VID_OPENPEPPOL_CREDIT_NOTE_UBL_V3;
    }

    private static void answer(
            PrintStream answers, IValidationExecutorSet<IValidationSourceXML> rules, String path) {
        ValidationResultList results = ValidationExecutionManager.executeValidation(
            IValidityDeterminator.createDefault(), rules,
            ValidationSourceXML.create(new FileSystemResource(path)), Locale.US);
        for (ValidationResult layer : results) {
            if (layer.isSkipped()) {
                answers.println(String.join("\t", "error", "skipped", "", "an earlier layer failed"));
            }
            for (IError found : layer.getErrorList()) {
                if ("Transformation warning".equals(found.getErrorText(Locale.US))) {
                    continue; // of compiling the stylesheets, the first time; no finding on the document
                }
                answers.println(String.join("\t",
                    found.getErrorLevel().getID(), text(found.getErrorID()),
                    text(found.getErrorFieldName()), text(found.getErrorText(Locale.US))));
            }
        }
    }

    private static String text(String value) {
        return value == null ? "" : value.replaceAll("\\s+", " ");
    }
}
